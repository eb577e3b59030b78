// @ts-check
/**
 * The wallpaper step: stepper, sizes of files, and forms that stay as the visitor left them.
 *
 * Listeners sit on the document, since the server replaces the forms.
 */

const MIB = 1024 * 1024;

/** @param {Event} event @param {string} selector */
const closestElement = (event, selector) =>
  event.target instanceof Element ? event.target.closest(selector) : null;

/* --- repeat width --- */

/** One step: a centimetre, larger where the repeat is large. @param {number} value */
const stepSize = (value) => (value >= 200 ? 10 : value >= 60 ? 5 : 1);

/** @type {number | undefined} */
let debounceTimer;

document.addEventListener("click", (event) => {
  const button = closestElement(event, "[data-step]");
  const input = button?.closest("[data-stepper]")?.querySelector("input");
  if (!(button instanceof HTMLElement) || !input) return;
  const value = Number(input.value) || 0;
  const step = stepSize(value) * Number(button.dataset.step);
  const next = Math.min(
    Math.max(Math.round((value + step) * 10) / 10, Number(input.min)),
    Number(input.max),
  );
  input.value = String(next);
  debounceChange(input, 250);
});

/**
 * Sends one change for several presses or keys in a row.
 * @param {HTMLInputElement} input
 * @param {number} delay milliseconds of quiet
 */
function debounceChange(input, delay) {
  window.clearTimeout(debounceTimer);
  debounceTimer = window.setTimeout(() => {
    if (input.value === "" || !input.checkValidity()) return; // half typed
    input.form?.dispatchEvent(new CustomEvent("placementchange", { bubbles: true }));
  }, delay);
}

document.addEventListener("input", (event) => {
  const input = closestElement(
    event,
    "[data-placement] input[type=number], [data-placement] input[type=range]",
  );
  if (input instanceof HTMLInputElement) debounceChange(input, 600);
});
// The field's own `change` is sent by the form.
document.addEventListener("change", (event) => {
  if (closestElement(event, "[data-placement]")) window.clearTimeout(debounceTimer);
});

// Enter in a field has already sent its `change`; the form's own submit would only leave the page.
document.addEventListener("submit", (event) => {
  if (closestElement(event, "[data-placement]")) event.preventDefault();
});

/* --- choosing --- */

// What was chosen is what is sent, even if the gallery was replaced while the request waited for
// its turn.
document.addEventListener("htmx:configRequest", (event) => {
  const { elt, parameters, triggeringEvent } = event.detail;
  const radio = triggeringEvent?.target;
  if (elt.matches("[data-gallery]") && radio instanceof HTMLInputElement)
    parameters.slug = radio.value;
});
document.addEventListener("htmx:afterRequest", (event) => {
  const { elt, successful, requestConfig } = event.detail;
  if (!(elt instanceof HTMLFormElement)) return;
  if (elt.matches("[data-gallery]"))
    keepChoice(elt, successful ? String(requestConfig.parameters.slug) : null);
  if (elt.matches("[data-file-form]")) elt.reset();
  if (elt.matches("[data-link-form]") && successful) elt.reset();
});

/**
 * After a success the choice is what a reset comes back to; after a refusal the form goes back to
 * the last one.
 * @param {HTMLFormElement} form
 * @param {string | null} slug
 */
function keepChoice(form, slug) {
  if (slug === null) {
    form.reset();
    return;
  }
  for (const radio of form.querySelectorAll("input[type=radio]")) {
    if (radio instanceof HTMLInputElement)
      radio.defaultChecked = radio.checked = radio.value === slug;
  }
}

// Before it is sent: a file over the limit would be refused after minutes on a slow line.
document.addEventListener("htmx:confirm", (event) => {
  const form = closestElement(event, "[data-file-form]");
  const input = form?.querySelector("input[type=file]");
  if (!(form instanceof HTMLFormElement) || !(input instanceof HTMLInputElement)) return;
  const limit = Number(form.dataset.maxBytes);
  const size = input.files?.[0]?.size ?? 0;
  if (size <= limit) return;
  event.preventDefault();
  const [megabytes, most] = [Math.ceil(size / MIB), Math.round(limit / MIB)];
  const message = `This file is ${megabytes} MB; a wallpaper may have up to ${most} MB.`;
  document.dispatchEvent(new CustomEvent("app:error", { detail: { message } }));
  form.reset();
});

/* --- details stay open over a swap --- */

/** @type {Set<string>} */
const opened = new Set();
document.addEventListener(
  "toggle",
  (event) => {
    const details = event.target;
    if (
      !(details instanceof HTMLDetailsElement) ||
      !details.dataset.keepOpen ||
      !details.isConnected
    )
      return;
    if (details.open) opened.add(details.dataset.keepOpen);
    else opened.delete(details.dataset.keepOpen);
  },
  true,
);
document.addEventListener("htmx:afterSwap", () => {
  for (const name of opened) {
    const details = document.querySelector(`[data-keep-open="${name}"]`);
    if (details instanceof HTMLDetailsElement) details.open = true;
  }
});
