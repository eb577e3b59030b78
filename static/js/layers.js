// @ts-check
/**
 * What lies over the photo: the paper (preview), the marked wall, or nothing.
 *
 * The photo stays what is clicked in all three. A new preview, or a change of the wallpaper, brings
 * the paper to the front; the "Before" choice lasts until the next click.
 */

const stage = /** @type {HTMLElement} */ (document.querySelector("[data-stage]"));
const choices = /** @type {NodeListOf<HTMLInputElement>} */ (
  document.querySelectorAll("[data-layers] input")
);

/** Whether there is a preview, as of the last update. */
let hadPreview = preview() !== null;
/** True while the paper is to come to the front as soon as its picture is here. */
let paperAwaited = false;

function preview() {
  return /** @type {HTMLImageElement | null} */ (stage.querySelector("[data-preview]"));
}

/** @param {string} name "paper", "wall" or "photo" */
function setLayer(name) {
  paperAwaited = false;
  stage.dataset.layer = name;
  for (const choice of choices) choice.checked = choice.value === name;
}

/** Says whether a preview is on its way, for the badge over the photo. */
function announceLoading() {
  const image = preview();
  const loading = image !== null && !image.complete;
  document.dispatchEvent(new CustomEvent("app:preview", { detail: { loading } }));
}

/**
 * Brings the paper to the front, once there is something to see; until then the marked wall stays.
 */
function showPaper() {
  if (preview()?.complete) setLayer("paper");
  else paperAwaited = true;
}

/** Follows what the server says there is to see. */
function update() {
  const has = preview() !== null;
  for (const choice of choices) if (choice.value === "paper") choice.disabled = !has;
  if (has && !hadPreview) showPaper();
  if (!has && stage.dataset.layer === "paper") setLayer("wall");
  hadPreview = has;
  announceLoading();
}

for (const choice of choices) choice.addEventListener("change", () => setLayer(choice.value));

stage.addEventListener("wallclick", () => {
  if (stage.dataset.layer === "photo") setLayer(preview() ? "paper" : "wall");
});

document.addEventListener("htmx:afterSettle", update);
document.addEventListener("htmx:afterRequest", (event) => {
  const { elt, successful } = event.detail;
  const aboutPaper = elt.matches(
    "[data-gallery], [data-placement], [data-file-form], [data-link-form]",
  );
  if (successful && aboutPaper && preview()) showPaper();
});
stage.addEventListener(
  "load",
  (event) => {
    if (!(event.target instanceof HTMLImageElement) || !event.target.matches("[data-preview]"))
      return;
    if (paperAwaited) setLayer("paper");
    announceLoading();
  },
  true,
);

// A picture that does not load says nothing by itself: ask the server why.
stage.addEventListener(
  "error",
  async (event) => {
    const image = event.target;
    if (!(image instanceof HTMLImageElement) || !image.matches("[data-preview]")) return;
    let message =
      "The preview could not be made. Your wall and wallpaper are kept; please try again.";
    try {
      const answer = await fetch(image.src, { headers: { "HX-Request": "true" } });
      const type = answer.headers.get("Content-Type") ?? "";
      if (!answer.ok && type.startsWith("text/plain")) message = await answer.text();
    } catch {
      message = "No connection to the server. Check your network and try again.";
    }
    setLayer("wall");
    announceLoading();
    document.dispatchEvent(new CustomEvent("app:error", { detail: { message } }));
  },
  true,
);

update();
