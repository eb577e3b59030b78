// @ts-check
/**
 * The start page: choosing, dropping, pasting or taking a photo sends it at once, with progress.
 *
 * The form itself is posted by htmx (or by the browser, without script); this module only starts
 * it.
 */

const form = /** @type {HTMLFormElement} */ (document.querySelector("[data-upload]"));
const input = /** @type {HTMLInputElement} */ (form.querySelector("[data-upload-input]"));
const camera = /** @type {HTMLInputElement} */ (form.querySelector("[data-upload-camera]"));
const busy = /** @type {HTMLElement} */ (form.querySelector("[data-upload-busy]"));
const idle = /** @type {HTMLElement} */ (form.querySelector(".drop__idle"));
const state = /** @type {HTMLElement} */ (form.querySelector("[data-upload-state]"));
const bar = /** @type {HTMLProgressElement} */ (form.querySelector("[data-upload-progress]"));

const MAX_RETRIES = 20;
let tries = 0;
const maxBytes = Number(form.dataset.maxBytes);

/** @param {string} message */
function refuse(message) {
  document.dispatchEvent(new CustomEvent("app:error", { detail: { message } }));
  input.value = "";
}

/** @param {boolean} sending */
function showSending(sending) {
  busy.hidden = !sending;
  idle.hidden = sending;
  bar.value = 0;
  state.textContent = "Sending the photo…";
}

/** Posts what is in the file field. */
function send() {
  const file = input.files?.[0];
  if (!file) return;
  if (file.size > maxBytes) {
    const limit = Math.round(maxBytes / 1024 / 1024);
    refuse(
      `This file is ${Math.ceil(file.size / 1024 / 1024)} MB; photos may have up to ${limit} MB.`,
    );
    return;
  }
  form.requestSubmit();
}

/** @param {ArrayLike<File> | undefined | null} files */
function sendFirst(files) {
  const file = files?.[0];
  if (!file) return;
  const transfer = new DataTransfer();
  transfer.items.add(file);
  input.files = transfer.files;
  send();
}

input.addEventListener("change", () => {
  tries = 0;
  send();
});
camera.addEventListener("change", () => sendFirst(camera.files));
// A file that was chosen before this script came.
document.addEventListener("DOMContentLoaded", send);

form.addEventListener("htmx:beforeRequest", () => showSending(true));
form.addEventListener("htmx:xhr:progress", (event) => {
  const { loaded, total, lengthComputable } = event.detail;
  if (!lengthComputable || !total) return;
  bar.value = (loaded / total) * 100;
  if (loaded >= total) state.textContent = "Opening the photo…";
});
form.addEventListener("htmx:afterRequest", (event) => {
  const { xhr, successful } = event.detail;
  // After a success the browser is on its way to the room: keep the bar until it leaves.
  if (successful && xhr.getResponseHeader("HX-Redirect")) return;
  showSending(false);
  input.value = "";
  camera.value = "";
});

// Many upload at once: the server says when to come back, and the photo is still at hand.
form.addEventListener("htmx:responseError", (event) => {
  const { xhr } = event.detail;
  if (
    xhr.getResponseHeader("X-Error-Code") !== "busy" ||
    tries >= MAX_RETRIES ||
    !input.files?.length
  ) {
    tries = 0;
    return;
  }
  event.stopPropagation();
  tries += 1;
  const files = [...input.files];
  const seconds = Number(xhr.getResponseHeader("Retry-After")) || 5;
  // After `afterRequest`, which empties the form; apart by chance, so that not all come back
  // together.
  setTimeout(() => {
    showSending(true);
    state.textContent = "The server is busy. Your photo will be sent again in a moment…";
  });
  setTimeout(
    () => {
      sendFirst(files);
    },
    seconds * 1000 * (0.6 + 0.8 * Math.random()),
  );
});

let dragDepth = 0;
/** @param {DragEvent} event */
const hasFiles = (event) => event.dataTransfer?.types.includes("Files") ?? false;

document.addEventListener("dragenter", (event) => {
  if (!hasFiles(event)) return;
  dragDepth += 1;
  form.toggleAttribute("data-over", true);
});
document.addEventListener("dragleave", () => {
  dragDepth = Math.max(0, dragDepth - 1);
  form.toggleAttribute("data-over", dragDepth > 0);
});
document.addEventListener("dragover", (event) => {
  if (hasFiles(event)) event.preventDefault();
});
document.addEventListener("drop", (event) => {
  if (!hasFiles(event)) return;
  event.preventDefault();
  dragDepth = 0;
  form.toggleAttribute("data-over", false);
  sendFirst(event.dataTransfer?.files);
});
document.addEventListener("paste", (event) => sendFirst(event.clipboardData?.files));

// Coming back by the back button: the page may be the one that was left while sending.
window.addEventListener("pageshow", (event) => {
  if (!event.persisted) return;
  showSending(false);
  form.reset();
});
