/* A page without Gradio: follow the reader's colours, or `?theme=`, and draw the demo if there is one. */
(() => {
  const theme = new URLSearchParams(location.search).get("theme");
  const system = matchMedia("(prefers-color-scheme: dark)");
  const paint = () => document.body.classList.toggle("dark", theme ? theme === "dark" : system.matches);
  system.addEventListener("change", paint);
  paint();

  const host = document.getElementById("demo");
  if (!host) return;
  const config = JSON.parse(document.getElementById("config").textContent);
  window.DemoWidgets.mount(host, config, window.DemoWidgets.streamed(config.url));
})();
