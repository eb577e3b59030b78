// @ts-check
/**
 * The photo: turns pointer and keyboard into clicks in photo pixels.
 *
 * A click is a `wallclick` event on the photo with `{ x, y, label }`; htmx posts it (hx-trigger),
 * and this module fills the request with those three values and nothing else. Pixel centres are at
 * integers, so a position at the very left edge of the photo is x = -0.5.
 */

const LONG_PRESS_MS = 550;
const MAX_MOVEMENT_PX = 10;

const stage = /** @type {HTMLElement} */ (document.querySelector("[data-stage]"));
const photo = /** @type {HTMLImageElement} */ (stage.querySelector("[data-photo]"));
const crosshair = /** @type {HTMLElement} */ (stage.querySelector("[data-crosshair]"));
const width = Number(stage.dataset.width);
const height = Number(stage.dataset.height);

stage.style.setProperty("--ratio", String(width / height));
stage.toggleAttribute("data-fitted", true);
// The photo stays hidden until it lies where it will stay and a click on it is answered: the style
// sheets are here, and htmx takes over the page at this event too, and its listener was added
// earlier.
document.addEventListener("DOMContentLoaded", () => {
  photo.hidden = false;
});

// The photo sticks to the top of a phone's screen: jumps within the page must end below it.
const viewer = /** @type {HTMLElement} */ (stage.closest(".viewer"));
new ResizeObserver(() => {
  document.documentElement.style.setProperty("--viewer-height", `${viewer.offsetHeight}px`);
}).observe(viewer);

/** @returns {number} 1 to include, 0 to exclude */
function mode() {
  const chosen = /** @type {HTMLInputElement | null} */ (
    document.querySelector("[data-mode]:checked")
  );
  return chosen ? Number(chosen.value) : 1;
}

function showMode() {
  stage.dataset.mode = String(mode());
}

/**
 * @param {number} value
 * @param {number} low
 * @param {number} high
 */
const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

/**
 * @param {number} across share of the photo's width, 0..1
 * @param {number} down share of its height, 0..1
 * @param {number} label
 */
function click(across, down, label) {
  const x = clamp(across * width - 0.5, -0.5, width - 0.5);
  const y = clamp(down * height - 0.5, -0.5, height - 0.5);
  const detail = { x: Number(x.toFixed(2)), y: Number(y.toFixed(2)), label };
  photo.dispatchEvent(new CustomEvent("wallclick", { detail, bubbles: true }));
}

/**
 * @param {{clientX: number, clientY: number}} event
 * @param {number} label
 */
function clickAt(event, label) {
  const box = photo.getBoundingClientRect();
  crosshair.hidden = true;
  click((event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height, label);
}

photo.addEventListener("htmx:configRequest", (event) => {
  const { parameters, triggeringEvent } = event.detail;
  const { x, y, label } = /** @type {CustomEvent<WallClick>} */ (triggeringEvent).detail;
  Object.assign(parameters, { x, y, label });
});

/* --- pointer --- */

/** @type {{timer: number, x: number, y: number} | null} */
let press = null;
let longPressed = false;

function cancelLongPress() {
  if (press) window.clearTimeout(press.timer);
  press = null;
}

photo.addEventListener("pointerdown", (event) => {
  longPressed = false;
  cancelLongPress();
  if (event.pointerType !== "touch" || !event.isPrimary) return;
  const { clientX, clientY } = event;
  // Safari on iOS sends no contextmenu for a long press; where the browser does, that comes first
  // and wins.
  const timer = window.setTimeout(() => {
    press = null;
    longPressed = true;
    clickAt({ clientX, clientY }, 0);
  }, LONG_PRESS_MS);
  press = { timer, x: clientX, y: clientY };
});
photo.addEventListener("pointermove", (event) => {
  if (press && Math.hypot(event.clientX - press.x, event.clientY - press.y) > MAX_MOVEMENT_PX)
    cancelLongPress();
});
for (const end of ["pointerup", "pointercancel", "pointerleave"])
  photo.addEventListener(end, cancelLongPress);

photo.addEventListener("click", (event) => {
  if (event.button !== 0 || longPressed) return;
  clickAt(event, mode());
});
photo.addEventListener("contextmenu", (event) => {
  event.preventDefault();
  if (longPressed) return;
  longPressed = press !== null;
  cancelLongPress();
  clickAt(event, 0);
});

document.addEventListener("change", (event) => {
  if (event.target instanceof Element && event.target.matches("[data-mode]")) showMode();
});
// The browser may restore the radio of an earlier visit.
window.addEventListener("pageshow", showMode);
showMode();

/* --- keyboard --- */

const STEP = 0.02;
const FINE_STEP = 0.0025;
/** @type {Record<string, [number, number]>} */
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const cursor = { across: 0.5, down: 0.5 };

function placeCrosshair() {
  crosshair.hidden = false;
  crosshair.style.left = `${cursor.across * 100}%`;
  crosshair.style.top = `${cursor.down * 100}%`;
}

/** @param {string} id */
function pressButton(id) {
  const button = document.getElementById(id);
  if (button instanceof HTMLButtonElement && !button.disabled) button.form?.requestSubmit();
}

photo.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const arrow = ARROWS[event.key];
  if (arrow) {
    const step = event.shiftKey ? FINE_STEP : STEP;
    cursor.across = clamp(cursor.across + arrow[0] * step, 0, 1);
    cursor.down = clamp(cursor.down + arrow[1] * step * (width / height), 0, 1);
    placeCrosshair();
  } else if (event.key === "Enter" || event.key === " ") {
    placeCrosshair();
    click(cursor.across, cursor.down, event.shiftKey ? 0 : mode());
  } else if (event.key === "Delete" || event.key === "Backspace") {
    placeCrosshair();
    click(cursor.across, cursor.down, 0);
  } else if (event.key === "u") pressButton("undo");
  else if (event.key === "r") pressButton("redo");
  else return;
  event.preventDefault();
});
photo.addEventListener("blur", () => {
  crosshair.hidden = true;
});

// A button that was pressed and has nothing left to do is disabled, and would take the focus with
// it.
let toolUsed = false;
document.addEventListener("htmx:afterSettle", () => {
  if (toolUsed && document.activeElement === document.body) photo.focus({ preventScroll: true });
});
document.addEventListener("focusin", (event) => {
  toolUsed = event.target instanceof Element && event.target.matches(".tool");
});
