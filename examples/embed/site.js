/* Pages without reloading, as many sites have them: the widget comes and goes with its page. */
const main = document.querySelector("main");

function show(path) {
  const template = document.querySelector(path === "/about" ? "#about" : "#notes");
  main.replaceChildren(template.content.cloneNode(true));
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("header a");
  if (link === null || event.metaKey || event.ctrlKey) return;
  event.preventDefault();
  history.pushState(null, "", link.href);
  show(location.pathname);
});
addEventListener("popstate", () => show(location.pathname));
show(location.pathname);
