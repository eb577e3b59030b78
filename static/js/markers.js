// @ts-check
/**
 * What shows at once while the server works: the clicked point, and a word on what is going on.
 *
 * A point is drawn when it is clicked and taken away when its own request is answered; by then the
 * server's overlay holds it. Requests are answered in order (hx-sync queue), so points never jump.
 */

const stage = /** @type {HTMLElement} */ (document.querySelector("[data-stage]"));
const photo = /** @type {HTMLElement} */ (stage.querySelector("[data-photo]"));
const layer = /** @type {HTMLElement} */ (stage.querySelector("[data-pending]"));
const badge = /** @type {HTMLElement} */ (stage.querySelector("[data-busy]"));
const width = Number(stage.dataset.width);
const height = Number(stage.dataset.height);

/** @type {Map<Event, HTMLElement>} */
const markers = new Map();
/** Words of the requests under way, the newest last. @type {Map<XMLHttpRequest, string>} */
const busyTexts = new Map();
let previewLoading = false;

photo.addEventListener("wallclick", (event) => {
  const { x, y, label } = event.detail;
  const marker = document.createElement("span");
  marker.className = label === 1 ? "marker" : "marker marker--exclude";
  marker.style.left = `${((x + 0.5) / width) * 100}%`;
  marker.style.top = `${((y + 0.5) / height) * 100}%`;
  const pulse = document.createElement("span");
  pulse.className = "marker__pulse";
  marker.append(pulse);
  layer.append(marker);
  markers.set(event, marker);
});

function showBadge() {
  const reading = stage.dataset.encoded === "no";
  const words = [...busyTexts.values()].at(-1) ?? (previewLoading ? "Placing the wallpaper…" : "");
  badge.textContent = reading ? "Reading the photo…" : words;
  badge.hidden = !badge.textContent;
}

/** @param {Element} element */
function busyTextFor(element) {
  if (element === photo || element.matches("[data-slow]")) return "Finding the wall…";
  return element instanceof HTMLElement ? (element.dataset.busyText ?? "") : "";
}

document.addEventListener("htmx:beforeSend", (event) => {
  const { xhr, elt } = event.detail;
  const words = busyTextFor(elt);
  if (!words) return;
  busyTexts.set(xhr, words);
  elt.toggleAttribute("data-busy", true);
  showBadge();
});
document.addEventListener("htmx:afterRequest", (event) => {
  const { xhr, elt, requestConfig, successful } = event.detail;
  const clicked = requestConfig.triggeringEvent;
  if (clicked) {
    markers.get(clicked)?.remove();
    markers.delete(clicked);
  }
  if (!busyTexts.delete(xhr)) return;
  elt.toggleAttribute("data-busy", false);
  // A mask came back, so the photo has been read.
  if (successful && elt === photo) stage.dataset.encoded = "yes";
  showBadge();
});
document.addEventListener("app:status", (event) => {
  stage.dataset.encoded = event.detail.status === "new" ? "no" : "yes";
  showBadge();
});
document.addEventListener("app:preview", (event) => {
  previewLoading = event.detail.loading;
  showBadge();
});

showBadge();
