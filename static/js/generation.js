// @ts-check
/**
 * The generation's panel: announces changes, fetches the result, and stops polling while the tab is
 * hidden.
 *
 * The server decides whether and how often to ask (the fragment carries its own trigger, or none).
 */

const announcer = /** @type {HTMLElement} */ (document.querySelector("[data-announcer]"));

const panel = () => /** @type {HTMLElement} */ (document.querySelector("[data-generation]"));
const status = () => /** @type {HTMLElement} */ (panel().querySelector("[data-status]"));
const result = () => /** @type {HTMLElement} */ (document.querySelector("[data-result]"));

let lastStatus = status().dataset.status ?? "";

/**
 * After each new panel: tell the other modules, and fetch the result if it is not the one on the
 * page.
 */
function panelChanged() {
  const now = status().dataset.status ?? "";
  document.dispatchEvent(new CustomEvent("app:status", { detail: { status: now } }));
  if (now !== lastStatus) announcer.textContent = status().textContent?.trim() ?? "";
  lastStatus = now;
  if (panel().dataset.completed !== result().dataset.number) {
    result().dispatchEvent(new CustomEvent("resultready"));
  }
}

document.addEventListener("htmx:afterSettle", (event) => {
  if (event.target instanceof Element && event.target.closest("[data-result]")) showResult();
  else panelChanged();
});
document.addEventListener("htmx:oobAfterSwap", (event) => {
  if (event.detail.target.id === "generation") window.queueMicrotask(panelChanged);
});

// A refused request may still have changed something (an attempt given back, a newer request key).
document.addEventListener("htmx:responseError", (event) => {
  if (event.detail.elt.matches("[data-generate-form]"))
    panel().dispatchEvent(new CustomEvent("refresh"));
});

// A poll's answer must not take the Cancel button away between press and release: the click would
// be lost with it.
let pressed = false;
document.addEventListener("pointerdown", (event) => {
  pressed = event.target instanceof Element && event.target.closest("[data-cancel]") !== null;
});
for (const end of ["pointerup", "pointercancel"]) {
  // The click comes after the release.
  document.addEventListener(end, () => window.setTimeout(() => (pressed = false)));
}
document.addEventListener("htmx:beforeSwap", (event) => {
  const { detail } = event;
  if (pressed && detail.requestConfig.elt.matches("[data-poll]")) detail.shouldSwap = false;
});

// The button that was pressed is gone: the next step is where it was.
document.addEventListener("htmx:afterSettle", (event) => {
  if (!event.detail.requestConfig?.elt.matches("[data-cancel-form]")) return;
  const next = panel().querySelector("#generate");
  if (next instanceof HTMLElement) next.focus({ preventScroll: true });
});

function showResult() {
  const quiet = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
  result().scrollIntoView({ behavior: quiet ? "auto" : "smooth", block: "start" });
  const title = result().querySelector("#result-title");
  if (title instanceof HTMLElement) title.focus({ preventScroll: true });
}

// Nobody looks at a hidden tab: it asks again when it is shown.
document.addEventListener("htmx:beforeRequest", (event) => {
  const polling = event.target instanceof Element && event.target.matches("[data-poll]");
  if (polling && document.hidden) event.preventDefault();
});
document.addEventListener("visibilitychange", () => {
  if (!document.hidden) panel().dispatchEvent(new CustomEvent("refresh"));
});

// A page from the back-forward cache shows what was true when it was left.
window.addEventListener("pageshow", (event) => {
  if (event.persisted) window.location.reload();
});

document.addEventListener("submit", (event) => {
  if (!(event.target instanceof Element) || !event.target.matches("[data-delete]")) return;
  if (!window.confirm("Delete this room with its photo and all its pictures?"))
    event.preventDefault();
});
