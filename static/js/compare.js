// @ts-check
/**
 * Before and after: a range input moves the edge between the two pictures.
 *
 * The input lies over the picture, so mouse, finger, arrow keys and assistive technology all work
 * it.
 */

/** @param {HTMLInputElement} range */
function split(range) {
  const frame = range.closest(".compare__frame");
  if (frame instanceof HTMLElement) frame.style.setProperty("--split", `${range.value}%`);
  range.setAttribute("aria-valuetext", `${range.value} % before`);
}

/** Sizes the frames that are on the page by their photo's proportions. */
function fit() {
  for (const frame of document.querySelectorAll(".compare__frame:not([data-fitted])")) {
    const image = frame.querySelector("img");
    const range = frame.querySelector("input");
    if (!(frame instanceof HTMLElement) || !image || !range) continue;
    frame.style.setProperty(
      "--ratio",
      String(Number(image.getAttribute("width")) / Number(image.getAttribute("height"))),
    );
    frame.toggleAttribute("data-fitted", true);
    split(range);
  }
}

document.addEventListener("input", (event) => {
  if (event.target instanceof HTMLInputElement && event.target.matches(".compare__range"))
    split(event.target);
});
document.addEventListener("htmx:afterSwap", fit);
fit();
