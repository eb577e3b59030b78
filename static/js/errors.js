// @ts-check
/**
 * The one place where the visitor is told what went wrong.
 *
 * Every refused, failed or timed-out htmx request ends here, and other modules report by
 * dispatching `app:error` with `{ message, status? }` on the document. The server writes the
 * sentence as plain text.
 */

const toast = /** @type {HTMLElement} */ (document.querySelector("[data-toast]"));
const text = /** @type {HTMLElement} */ (toast.querySelector("[data-error]"));
const home = /** @type {HTMLElement} */ (toast.querySelector("[data-error-home]"));

/** True while the shown error came from polling, which the next answered poll takes back. */
let shownByPoll = false;

const MAX_MESSAGE_LENGTH = 400;
const MESSAGES = new Map([
  [403, "This page is out of date. Please reload it and try again."],
  [404, "This room does not exist."],
  [410, "This room has expired and its pictures are deleted."],
  [413, "The file is too large."],
  [429, "Too many requests at once. Please wait a moment and try again."],
  [503, "The server cannot do this at the moment. Nothing is lost; please try again shortly."],
]);

/**
 * @param {string} message
 * @param {{status?: number, poll?: boolean}} [about]
 */
function show(message, about = {}) {
  text.textContent = message;
  home.hidden = about.status !== 404 && about.status !== 410;
  toast.hidden = false;
  shownByPoll = Boolean(about.poll);
}

function hide() {
  toast.hidden = true;
  home.hidden = true;
  text.textContent = "";
  shownByPoll = false;
}

/**
 * The server's own sentence where it sent one, otherwise ours for the status.
 * @param {XMLHttpRequest} xhr
 */
function messageOf(xhr) {
  const type = xhr.getResponseHeader("Content-Type") ?? "";
  const body = type.startsWith("text/plain") ? xhr.responseText.trim() : "";
  if (body && body.length <= MAX_MESSAGE_LENGTH) return body;
  return MESSAGES.get(xhr.status) ?? "Something went wrong on our side. Please try again.";
}

/**
 * By the element that asked: a poll replaces its element, and htmx then reports the end of the
 * request on a parent, which is the event's target and its `detail.elt` too.
 * @param {CustomEvent<HtmxRequestInfo>} event
 */
const isPoll = (event) => event.detail.requestConfig.elt.matches("[data-poll]");

document.addEventListener("htmx:responseError", (event) => {
  const { xhr } = event.detail;
  show(messageOf(xhr), { status: xhr.status, poll: isPoll(event) });
});
document.addEventListener("htmx:sendError", (event) =>
  show("No connection to the server. Check your network and try again.", { poll: isPoll(event) }),
);
document.addEventListener("htmx:timeout", (event) =>
  show("The server took too long to answer. Nothing is lost; please try again.", {
    poll: isPoll(event),
  }),
);
document.addEventListener("htmx:swapError", () =>
  show("The page could not be updated. Please reload it."),
);
document.addEventListener("htmx:afterRequest", (event) => {
  if (event.detail.successful && (shownByPoll || !isPoll(event))) hide();
});
document.addEventListener("app:error", (event) => show(event.detail.message, event.detail));

toast.querySelector("[data-error-close]")?.addEventListener("click", hide);
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && !toast.hidden) hide();
});
