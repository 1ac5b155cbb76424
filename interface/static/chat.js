// The page around the conversation: answers, topics, status. Every text goes through textContent.
// Python calls these by name from js_on_load (see chat.py); nothing here asks another host.
window.TutorPage = (() => {
  const SIDES = {
    predict: ["◎", "predicts"],
    create: ["✦", "creates"],
    both: ["◐", "predicts and creates"],
  };
  const GROUPS = { predict: "Predict", create: "Create", both: "Both" };
  const FEATURED = 5; // topics shown in a group before "more"
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  let ids = 0;
  let askPython = () => {};

  // ---------------------------------------------------------------------------- small tools

  function make(tag, properties = {}, ...children) {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(properties)) {
      if (name === "on") for (const [type, run] of Object.entries(value)) node.addEventListener(type, run);
      else if (name === "text") node.textContent = value;
      else if (name === "className") node.className = value;
      else if (value !== null && value !== undefined && value !== false) node.setAttribute(name, value === true ? "" : value);
    }
    node.append(...children.filter(Boolean));
    return node;
  }

  function announce(text) {
    let region = document.getElementById("tutor-live");
    if (!region) {
      region = make("div", { id: "tutor-live", className: "only-heard", "aria-live": "polite", role: "status" });
      document.body.append(region);
    }
    region.textContent = text;
  }

  const list = (value) => (Array.isArray(value) ? value : []);
  const percent = (p) => (p >= 0.995 && p < 1 ? ">99%" : p > 0 && p < 0.005 ? "<1%" : `${Math.round(p * 100)}%`);
  const writingNow = () => document.querySelector(".answer.writing");

  // ------------------------------------------------------------------------------- answers

  // Draw an answer, and draw it again whenever its value changes.
  function answer(element, props, watch) {
    const draw = () => {
      const root = element.querySelector(".answer-part");
      if (!root) return;
      hush(root);
      const value = props.value || {};
      const before = root.querySelector(".answer.writing");
      root.replaceChildren(value.state === "writing" ? draftOf(value) : replyOf(value));
      if (value.state === "done" && before && value.fresh) announce(`Answer: ${value.answer}`);
      if (value.state !== "writing") return;
      toTheQuestion(root);
      keepFocus();
    };
    draw();
    watch("value", draw);
  }

  // The answer in progress, as it grows.
  function live(props, watch) {
    watch("value", () => {
      const node = writingNow();
      if (node && props.value?.state === "writing") redraft(node, props.value);
    });
  }

  // Gradio reads every update of the log aloud; we announce the finished answer instead.
  function hush(root) {
    root.closest('[role="log"]')?.setAttribute("aria-live", "off");
    root.closest("[data-testid]")?.removeAttribute("aria-label");
  }

  function badge(side) {
    const known = SIDES[side];
    if (!known) return null;
    const symbol = make("span", { text: known[0], "aria-hidden": "true" });
    return make("span", { className: `badge ${side}` }, symbol, make("span", { text: known[1] }));
  }

  function draftOf(value) {
    const head = make("div", { className: "answer-head" });
    const text = make("div", { className: "answer-text" });
    const node = make("div", { className: "answer writing", "aria-busy": "true" }, head, text);
    redraft(node, value);
    return node;
  }

  function redraft(node, value) {
    const head = node.querySelector(".answer-head");
    const side = value.side || "";
    if (head.dataset.side !== side) {
      head.dataset.side = side;
      head.replaceChildren(badge(side) || make("span", { className: "badge waiting", text: "thinking" }));
    }
    const status = value.answer ? "" : value.status || "";
    const text = node.querySelector(".answer-text");
    text.classList.toggle("status", Boolean(status));
    if (text.textContent !== (value.answer || status)) text.textContent = value.answer || status;
  }

  function replyOf(value) {
    const node = make("div", { className: `answer${value.abstained ? " abstained" : ""}` });
    const head = make("div", { className: "answer-head" }, badge(value.side));
    if (value.abstained) head.append(make("span", { className: "badge waiting", text: "not covered" }));
    if (value.from_memory) head.append(make("span", { className: "badge waiting", text: "from memory, nothing looked up" }));
    if (value.stopped) head.append(make("span", { className: "badge waiting", text: "stopped" }));
    const text = make("div", { className: "answer-text" });
    fill(text, value, false);
    const unsupported = list(value.spans).filter((span) => span.supported === false).length;
    const passage = make("div", { className: "passage-place" });
    const tools = make("div", { className: "answer-tools" });
    list(value.citations).forEach((one) => tools.append(chip(one, passage)));
    if (hasTokens(value)) tools.append(wordsButton(text, value));
    tools.append(copyButton(String(value.answer || "")));
    node.append(head, text);
    if (value.reason) node.append(make("p", { className: "reason" }, make("b", { text: "Why not: " }), value.reason));
    if (unsupported) node.append(make("p", { className: "reason", text: `${unsupported} of ${value.spans.length} sentences (marked ?) are in no passage: they may be true or made up.` }));
    node.append(tools, passage);
    return node;
  }

  const hasTokens = (value) => list(value.spans).some((span) => list(span.tokens).some((t) => t.probability != null));

  // The answer as sentences: those that stand in a passage word for word carry a small mark.
  function fill(place, value, asWords) {
    const spans = list(value.spans);
    const joined = spans.map((span) => span.text ?? "").join("");
    const usable = spans.length && joined.trim() === String(value.answer || "").trim();
    place.replaceChildren();
    if (!usable) return place.append(document.createTextNode(value.answer || ""));
    const roving = [];
    for (const span of spans) place.append(sentence(span, asWords, place, roving));
    if (asWords) rove(roving);
  }

  function sentence(span, asWords, place, roving) {
    const doubtful = span.supported === false;
    const node = make("span", { className: `sentence${span.quoted ? " quoted" : ""}${doubtful ? " doubtful" : ""}` });
    if (asWords && list(span.tokens).length) {
      for (const token of span.tokens) node.append(wordOf(token, place, roving));
      const first = node.firstChild.firstChild; // a token brings the space before it; the sentence, the one after
      if (first?.nodeType === Node.TEXT_NODE && !/^\s/.test(span.text)) first.data = first.data.trimStart();
      node.append(/\s*$/.exec(span.text)[0]);
      return node;
    }
    if (!span.quoted && !doubtful) return node.append(document.createTextNode(span.text)), node;
    const [, text, space] = /^([\s\S]*?)(\s*)$/.exec(span.text);
    const says = doubtful ? "no passage says this" : "quoted from the passage";
    const mark = make("span", { className: doubtful ? "doubt-mark" : "quote-mark", role: "img", title: says, "aria-label": says, text: doubtful ? "?" : "❞" });
    node.append(text, mark, space);
    return node;
  }

  // --------------------------------------------------------------------------------- words

  function wordsButton(text, value) {
    const legend = make("p", { className: "legend", hidden: true, text: "The stronger a word's colour, the less sure the model was. Choose a word to see what else it weighed." });
    const button = make("button", { type: "button", className: "quiet", "aria-pressed": "false", text: "Look inside the words" });
    button.addEventListener("click", () => {
      const open = button.getAttribute("aria-pressed") !== "true";
      button.setAttribute("aria-pressed", String(open));
      if (open) text.after(legend);
      legend.hidden = !open;
      fill(text, value, open);
    });
    return button;
  }

  function wordOf(token, place, roving) {
    const p = token.probability;
    if (p == null) return make("span", { text: token.text });
    const [, before, word, after] = /^(\s*)([\s\S]*?)(\s*)$/.exec(token.text);
    if (!word) return make("span", { text: token.text });
    const button = make("button", {
      type: "button", className: p < 0.5 ? "word unsure" : "word", text: word, tabindex: "-1",
      "aria-label": `${word}, ${percent(p)}`, "aria-haspopup": "dialog",
      style: `--doubt:${Math.round((1 - p) * 55)}%`,
    });
    button.addEventListener("click", () => weigh(button, token, place));
    roving.push(button);
    return make("span", {}, before, button, after);
  }

  // One tab stop for all words; the arrow keys go from word to word.
  function rove(buttons) {
    if (buttons[0]) buttons[0].tabIndex = 0;
    buttons.forEach((button, i) =>
      button.addEventListener("keydown", (event) => {
        const to = { ArrowRight: i + 1, ArrowLeft: i - 1, Home: 0, End: buttons.length - 1 }[event.key];
        if (to === undefined || !buttons[to]) return;
        event.preventDefault();
        buttons.forEach((one) => (one.tabIndex = -1));
        buttons[to].tabIndex = 0;
        buttons[to].focus();
      }));
  }

  function weigh(button, token, place) {
    const again = button.getAttribute("aria-expanded") === "true";
    document.querySelectorAll(".weighed").forEach((one) => one.dispatchEvent(new Event("leave")));
    if (again) return;
    const rows = [[token.text, token.probability], ...list(token.alternatives).filter(([text]) => text !== token.text)];
    rows.sort((a, b) => b[1] - a[1]);
    const table = make("div", { className: "weighed-bars" });
    for (const [text, p] of rows.slice(0, 6)) {
      const chosen = text === token.text;
      table.append(
        make("span", { className: chosen ? "chosen" : "", text: text.trim() || "(space)" }),
        make("span", { className: "weighed-bar", "aria-hidden": "true" }, make("i", { style: `width:${Math.max(1, p * 100)}%` })),
        make("span", { className: "figure", text: percent(p) }));
    }
    const title = make("p", {}, "Here the model weighed");
    const pop = make("div", { className: "weighed", role: "dialog", "aria-label": `What else the model weighed instead of ${token.text.trim()}`, tabindex: "-1" }, title, table);
    const leave = (focus) => {
      if (!button.hasAttribute("aria-expanded")) return; // removing a focused node calls us again
      button.removeAttribute("aria-expanded");
      if (focus) button.focus();
      pop.remove();
    };
    pop.addEventListener("leave", () => leave(false));
    pop.addEventListener("focusout", (event) => { if (event.relatedTarget !== button) leave(false); });
    pop.addEventListener("keydown", (event) => { if (event.key === "Escape") { event.stopPropagation(); leave(true); } });
    place.append(pop);
    button.setAttribute("aria-expanded", "true");
    pop.style.left = `${Math.max(0, Math.min(button.offsetLeft, place.clientWidth - pop.offsetWidth))}px`;
    pop.style.top = `${button.offsetTop + button.offsetHeight + 6}px`;
    pop.focus({ preventScroll: true });
  }

  // --------------------------------------------------------------------- sources and copying

  function chip(citation, place) {
    const id = `passage-${++ids}`;
    const text = [citation.title, citation.section].filter(Boolean).join(" · ");
    const button = make("button", { type: "button", className: "cite", "aria-expanded": "false", "aria-controls": id, text });
    const close = (focus) => {
      button.setAttribute("aria-expanded", "false");
      place.replaceChildren();
      if (focus) button.focus();
    };
    button.addEventListener("click", () => {
      if (button.getAttribute("aria-expanded") === "true") return close(false);
      button.parentNode.querySelectorAll(".cite").forEach((one) => one.setAttribute("aria-expanded", "false"));
      button.setAttribute("aria-expanded", "true");
      const shut = make("button", { type: "button", className: "quiet shut", text: "Close", on: { click: () => close(true) } });
      const head = make("div", { className: "passage-head" }, make("span", { text: `The passage: ${text}` }), shut);
      place.replaceChildren(make("section", { id, className: "passage", "aria-label": `Passage: ${text}` }, head, make("blockquote", { text: citation.quote || "" })));
    });
    for (const node of [button, place]) {
      node.addEventListener("keydown", (event) => {
        if (event.key === "Escape" && button.getAttribute("aria-expanded") === "true") close(true);
      });
    }
    return button;
  }

  function copyButton(text) {
    const button = make("button", { type: "button", className: "quiet", text: "Copy" });
    button.addEventListener("click", async () => {
      const done = await copy(text);
      button.textContent = done ? "Copied" : "Could not copy";
      announce(button.textContent);
      setTimeout(() => (button.textContent = "Copy"), 1600);
    });
    return button;
  }

  async function copy(text) {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      // An insecure origin has no clipboard: select and copy as in the old days.
      const area = make("textarea", { className: "only-heard" });
      area.value = text;
      document.body.append(area);
      area.select();
      const done = document.execCommand("copy");
      area.remove();
      return done;
    }
  }

  // ---------------------------------------------------------------------- scrolling and focus

  // A new question goes to the top of the window, with room below for its answer: so the text stays
  // where it is while the answer grows and when its demo appears. Afterwards nothing scrolls by itself.
  function toTheQuestion(root) {
    const wrap = root.closest(".message-wrap");
    const question = [...(wrap?.querySelectorAll(".user-row") || [])].pop();
    if (!question) return;
    requestAnimationFrame(() => {
      const scroller = document.scrollingElement;
      wrap.style.minHeight = "0";
      const top = question.getBoundingClientRect().top;
      const below = scroller.scrollHeight - scroller.scrollTop - document.getElementById("conversation").getBoundingClientRect().bottom;
      wrap.style.minHeight = `${top - wrap.getBoundingClientRect().top - 16 + innerHeight - below}px`;
      scroller.scrollBy({ top: top - 16, behavior: calm.matches ? "instant" : "smooth" });
    });
  }

  // The button that asked is gone, and the focus with it: give it a place, except where that opens a keyboard.
  function keepFocus() {
    if (document.activeElement !== document.body || !matchMedia("(pointer: fine)").matches) return;
    document.querySelector("#question textarea")?.focus({ preventScroll: true });
  }

  // ---------------------------------------------------------------------------------- topics

  function panel(element, props, watch) {
    const draw = () => element.firstElementChild?.replaceChildren(topicsOf(list(props.value)));
    draw();
    watch("value", draw);
  }

  function topicsOf(topics) {
    const filter = make("input", { type: "search", className: "filter", placeholder: "Find a topic", "aria-label": "Find a topic" });
    const groups = Object.keys(GROUPS).map((side) => group(side, topics.filter((one) => one.side === side)));
    const none = make("p", { className: "none", hidden: true, text: "No topic of that name. Ask anyway." });
    const nav = make("nav", { "aria-label": "Topics" }, filter, ...groups, none);
    filter.addEventListener("input", () => {
      const wanted = filter.value.trim().toLowerCase();
      let hits = 0;
      nav.classList.toggle("filtered", Boolean(wanted));
      nav.querySelectorAll(".topic").forEach((one) => {
        const hit = one.dataset.words.includes(wanted);
        one.hidden = !hit;
        hits += hit;
      });
      none.hidden = hits > 0;
    });
    const wide = matchMedia("(min-width: 900px)");
    const drawer = make("details", { className: "drawer", open: wide.matches }, make("summary", { text: `Browse ${topics.length} topics` }), nav);
    wide.addEventListener("change", () => (drawer.open = wide.matches));
    return drawer;
  }

  function group(side, topics) {
    topics.sort((a, b) => b.live - a.live || a.title.localeCompare(b.title));
    const heading = make("h2", { className: side }, make("span", { text: SIDES[side][0], "aria-hidden": "true" }), ` ${GROUPS[side]}`);
    const box = make("section", { className: "group", hidden: !topics.length }, heading);
    topics.forEach((one, i) => {
      const button = make("button", { type: "button", className: i < FEATURED ? "topic" : "topic later", "data-words": `${one.title} ${one.slug} ${one.question}`.toLowerCase(), title: one.question, on: { click: () => ask(one.question) } }, one.title);
      if (one.live) button.append(make("span", { className: "live", text: "live" }));
      box.append(button);
    });
    if (topics.length > FEATURED) box.append(moreButton(box, topics.length - FEATURED));
    return box;
  }

  function moreButton(box, count) {
    const button = make("button", { type: "button", className: "more", "aria-expanded": "false", text: `${count} more` });
    button.addEventListener("click", () => {
      const open = box.classList.toggle("all");
      button.setAttribute("aria-expanded", String(open));
      button.textContent = open ? "fewer" : `${count} more`;
    });
    return button;
  }

  // ------------------------------------------------------------------------ asking and saving

  function ask(question) {
    if (writingNow()) return announce("One moment: the tutor is still writing.");
    if (!matchMedia("(min-width: 900px)").matches) document.querySelector(".drawer")?.removeAttribute("open");
    askPython(question);
  }

  // The hidden component through which buttons of ours reach Python, and files come back.
  function connect(send, props, watch) {
    askPython = send;
    watch("value", () => props.value?.markdown && save(props.value.markdown));
  }

  function save(text) {
    const url = URL.createObjectURL(new Blob([text], { type: "text/markdown" }));
    make("a", { href: url, download: `predict-or-create-${new Date().toISOString().slice(0, 10)}.md` }).click();
    setTimeout(() => URL.revokeObjectURL(url), 10000);
  }

  // ---------------------------------------------------------------------------------- banner

  // Says that the tutor is waking up, or why it could not, until it is ready.
  function banner(element, again) {
    const text = make("span");
    const button = make("button", { type: "button", className: "quiet", text: "Try again", hidden: true });
    const box = make("div", { className: "banner", role: "status", hidden: true }, text, button);
    button.addEventListener("click", () => { button.hidden = true; text.textContent = "The tutor is waking up..."; again(); setTimeout(look, 1500); });
    element.firstElementChild.replaceChildren(box);
    async function look() {
      let state = {};
      try {
        state = await (await fetch("healthz", { cache: "no-store" })).json();
      } catch { /* the server restarts, or the network is gone: look again later */ }
      box.hidden = !state.status || state.status === "ready";
      box.classList.toggle("failed", state.status === "failed");
      text.textContent = state.message || "";
      button.hidden = state.status !== "failed";
      if (state.status === "loading" || !state.status) setTimeout(look, 1500);
    }
    look();
  }

  return { answer, live, panel, banner, connect, ask };
})();
