/* Draws any demo from its description and keeps it alive: a form, its runs, their views.
 *
 *   DemoWidgets.mount(host, config)   draw, or bring back, the widget of config.wid inside host
 *   DemoWidgets.connect(port)         the way to the server: {run({rid, slug, inputs}), halt(rid)}
 *   DemoWidgets.receive(reply)        {rid, k, state, views, error}, as interface/runs.py makes it
 *   DemoWidgets.streamed(url)         another way to the server: POST, answered by an event stream
 *
 * Text from visitors and models becomes text nodes only; no string is ever read as markup.
 */
window.DemoWidgets = (() => {
  "use strict";

  const SIDES = { predict: ["◎", "predicts"], create: ["✦", "creates"], both: ["◐", "both"] };
  const STATES = { loading: "Getting ready…", waiting: "Waiting for a turn…", running: "Running…" };
  const PATIENCE = 90_000; // milliseconds without any reply before the widget gives up
  const NO_ANSWER = "No answer came from the server. Reload the page and try again.";
  const OTHERS = 6; // alternatives to a word that are offered
  const PNG = "data:image/png;base64,";

  /* An element. Attributes named on… are listeners, false and null ones are left out. */
  function make(tag, attributes = {}, ...children) {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
      else if (name === "style") node.style.cssText = value; // allowed by any content security policy
      else if (value === true) node.setAttribute(name, "");
      else if (value !== false && value != null) node.setAttribute(name, value);
    }
    node.append(...children.filter((child) => child != null));
    return node;
  }

  const percent = (p) => (p > 0 && p < 0.01 ? "<1%" : `${Math.round(100 * p)}%`);
  const hidden = (text) => make("span", { class: "dw-hidden" }, text);

  // ---------------------------------------------------------------------------- inputs

  /* Each gives {node, get, set}: the labelled field, its value, and a way to fill it. */
  const FIELDS = {
    text(input, id) {
      const long = input.lines > 1;
      const box = make(long ? "textarea" : "input", {
        id, class: "dw-box", rows: long ? input.lines : null, autocomplete: "off",
        "aria-describedby": input.help ? `${id}-help` : null,
      });
      const label = make("label", { for: id, class: "dw-label" }, input.label);
      return { node: make("div", { class: "dw-field" }, label, box, help(input, id)),
        get: () => box.value, set: (value) => { box.value = value; } };
    },

    slider(input, id) {
      const shown = make("output", { for: id, class: "dw-number" });
      const box = make("input", { id, type: "range", class: "dw-range", min: input.minimum,
        max: input.maximum, step: input.step, oninput: () => { shown.textContent = box.value; },
        "aria-describedby": input.help ? `${id}-help` : null });
      const label = make("label", { for: id, class: "dw-label" }, input.label);
      return { node: make("div", { class: "dw-field dw-sliding" }, label, shown, box, help(input, id)),
        get: () => Number(box.value), set: (value) => { box.value = value; shown.textContent = box.value; } };
    },

    choice(input, id) {
      const short = input.options.length <= 4 && input.options.join("").length <= 36;
      return (short ? segments : select)(input, id);
    },

    toggle(input, id) {
      const box = make("input", { id, type: "checkbox", role: "switch", class: "dw-toggle",
        "aria-describedby": input.help ? `${id}-help` : null });
      const label = make("label", { for: id, class: "dw-check" }, box, input.label);
      return { node: make("div", { class: "dw-field" }, label, help(input, id)),
        get: () => box.checked, set: (value) => { box.checked = value; } };
    },
  };

  function help(input, id) {
    return input.help ? make("small", { id: `${id}-help`, class: "dw-help" }, input.help) : null;
  }

  function segments(input, id) {
    const boxes = input.options.map((value) => make("input", { type: "radio", name: id, value }));
    const labels = boxes.map((box) => make("label", {}, box, make("span", {}, box.value)));
    const node = make("fieldset", { class: "dw-field" }, make("legend", { class: "dw-label" }, input.label),
      make("div", { class: "dw-segments" }, ...labels), help(input, id));
    return { node, get: () => boxes.find((box) => box.checked)?.value ?? "",
      set: (value) => boxes.forEach((box) => { box.checked = box.value === value; }) };
  }

  function select(input, id) {
    const box = make("select", { id, class: "dw-box" },
      ...input.options.map((value) => make("option", { value }, value)));
    const label = make("label", { for: id, class: "dw-label" }, input.label);
    return { node: make("div", { class: "dw-field" }, label, box, help(input, id)),
      get: () => box.value, set: (value) => { box.value = value; } };
  }

  // ----------------------------------------------------------------------------- views

  /* Each draws a view; `old` is the node of the same key and kind, to be changed in place if it can. */
  const VIEWS = {
    bars(view, old) {
      const node = old && old.children.length === view.values.length ? old : make("ul", { class: "dw-bars" });
      const top = Math.max(...view.values.map(([, p]) => p));
      view.values.forEach(([label, p], i) => {
        const row = node.children[i] || node.appendChild(make("li", {}, make("span"),
          make("span", { class: "dw-bar", "aria-hidden": "true" }, make("i")), make("span")));
        row.className = p === top ? "dw-top" : "";
        row.children[0].textContent = label;
        row.children[1].firstChild.style.width = `${Math.min(100, Math.max(0, 100 * p))}%`;
        row.children[2].textContent = percent(p);
      });
      return node;
    },

    words(view) {
      const text = make("p", { class: "dw-words" });
      view.pieces.forEach(([piece, weight], i) => {
        const [space, word] = split(piece);
        const apart = i > 0 && !space && !/\s$/.test(view.pieces[i - 1][0]) && /^[\p{L}\p{N}]/u.test(word);
        text.append(apart ? " " : space, weighted(word, weight, view));
      });
      const legend = make("p", { class: "dw-legend" }, view.low || view.high ? "pulls to" : null,
        view.low ? make("span", { class: "dw-low", style: "--weight:.5" }, `− ${view.low}`) : null,
        view.high ? make("span", { class: "dw-high", style: "--weight:.5" }, `+ ${view.high}`) : null);
      return make("div", {}, text, legend.children.length ? legend : null);
    },

    tokens(view, old, widget) {
      const open = (piece, i, node) => alternatives(widget, view, piece, i, node);
      const pieces = view.pieces.flatMap((piece, i) => token(piece, i, open));
      const text = make("p", { class: "dw-tokens", role: "group", "aria-label": "Text, word by word", onkeydown: walk },
        make("span", { class: "dw-start" }, view.start), ...pieces);
      text.querySelector("[tabindex]")?.setAttribute("tabindex", "0");
      const legend = make("p", { class: "dw-legend" }, make("span", { class: "dw-sure" }, "likely"),
        make("span", { class: "dw-token", style: "--doubt:1" }, "surprising"),
        make("span", {}, "Choose a word to see what else it weighed."));
      return make("div", {}, text, text.querySelector("[tabindex]") ? legend : null);
    },

    picture(view, old) {
      if (!view.png.startsWith(PNG)) return make("p", { class: "dw-note" }, view.alt);
      const node = old?.tagName === "FIGURE" ? old : make("figure", { class: "dw-picture" }, make("img"), make("figcaption"));
      const [image, caption] = node.children;
      Object.assign(image, { src: view.png, alt: view.alt });
      caption.textContent = view.caption;
      return node;
    },

    strip(view) {
      const count = Math.max(view.expected, view.pictures.length);
      const titled = view.pictures.some((one) => one.caption);
      const frames = view.pictures.map((one) => VIEWS.picture(one));
      const room = Array.from({ length: count - frames.length }, () =>
        make("div", { class: titled ? "dw-room dw-titled" : "dw-room", "aria-hidden": "true" }));
      if (frames.length === count) frames[count - 1]?.classList.add("dw-last");
      const wide = count <= 6 ? count : Math.min(6, Math.ceil(count / 2));
      return make("div", { class: "dw-strip", style: `--wide:${wide};--narrow:${count <= 4 ? count : 3}` },
        ...frames, ...room);
    },

    table(view) {
      const cell = (value) => make("td", { class: typeof value === "number" ? "dw-figure" : null }, shown(value));
      const names = view.columns.map((name) => make("th", { scope: "col" }, name));
      const rows = view.rows.map((row) => make("tr", {}, ...row.map(cell)));
      return make("div", { class: "dw-table", tabindex: "0", role: "region", "aria-label": view.title || "Table" },
        make("table", {}, make("thead", {}, make("tr", {}, ...names)), make("tbody", {}, ...rows)));
    },

    note: (view) => make("p", { class: "dw-note" }, view.text),
  };

  const shown = (value) => (typeof value === "number" ? value.toLocaleString("en", { maximumFractionDigits: 3 }) : String(value));

  /* A word in the colour of its weight: low is dotted below, high is underlined, to be told apart without colour. */
  function weighted(word, weight, view) {
    const size = Math.abs(weight);
    if (size < 0.02) return make("span", {}, word);
    const [pull, name] = weight < 0 ? [view.low, "dw-low"] : [view.high, "dw-high"];
    const title = `${weight < 0 ? "−" : "+"}${size.toFixed(2)}${pull ? ` ${pull}` : ""}`;
    return make("span", { class: name, style: `--weight:${Math.min(1, size).toFixed(2)}`, title },
      word, size >= 0.2 ? hidden(` (${pull || title})`) : null);
  }

  /* White space before a word, and the word: only the word is coloured. */
  const split = (text) => [text.slice(0, text.length - text.trimStart().length), text.trimStart()];

  /* 0 for a sure word, 1 for one in a thousand; in between by bits, as most words are below one half. */
  const surprise = (p) => Math.min(1, -Math.log2(Math.max(p, 1e-9)) / 10);

  /* A word a model wrote, after its white space. It can be opened when the model weighed others. */
  function token(piece, i, open) {
    const [space, word] = split(piece.text);
    const attributes = { class: "dw-token", style: `--doubt:${surprise(piece.probability).toFixed(2)}` };
    const node = make("span", attributes, word || "↵");
    if (piece.alternatives.length) openable(node, () => open(piece, i, node), percent(piece.probability));
    return word ? [space, node] : [node, space];
  }

  /* Let a word be pressed, by pointer or key, without giving up its place in the line as a button would. */
  function openable(node, open, title) {
    node.classList.add("dw-open");
    for (const [name, value] of Object.entries({ role: "button", tabindex: "-1", "aria-haspopup": "dialog", title })) {
      node.setAttribute(name, value);
    }
    node.addEventListener("click", open);
    node.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      open();
    });
  }

  /* Arrow keys move between the words; the text as a whole is one stop of the Tab key. */
  function walk(event) {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!step || !event.target.matches(".dw-open")) return;
    const words = [...event.currentTarget.querySelectorAll(".dw-open")];
    const next = words[words.indexOf(event.target) + step];
    if (!next) return;
    event.preventDefault();
    words.forEach((word) => word.setAttribute("tabindex", word === next ? "0" : "-1"));
    next.focus();
  }

  /* What else the model weighed at one place; choosing one writes the text anew from there. */
  function alternatives(widget, view, piece, i, word) {
    const field = widget.fields[view.grow];
    const before = view.start + view.pieces.slice(0, i).map((one) => one.text).join("");
    const choose = (text) => { pop.hidePopover(); field.set(before + text); widget.start(); };
    const others = piece.alternatives.filter(([text]) => text !== piece.text).slice(0, OTHERS);
    const weighed = [[piece.text, piece.probability], ...others];
    const rows = weighed.sort((a, b) => b[1] - a[1]).map(([text, p]) => {
      const chosen = text === piece.text;
      const bar = make("span", { class: "dw-bar", "aria-hidden": "true" }, make("i"));
      bar.firstChild.style.width = `${100 * p}%`;
      const inside = [make("span", { class: "dw-other" }, text.trim() || "↵"), bar, make("span", {}, percent(p))];
      if (!field || chosen) return make("div", { class: chosen ? "dw-row dw-top" : "dw-row" }, ...inside);
      return make("button", { type: "button", class: "dw-row", onclick: () => choose(text) }, ...inside);
    });
    const pop = make("div", { class: "dw-pop", popover: "auto", role: "dialog", tabindex: "-1",
      "aria-label": "What else the model weighed" }, make("p", {}, "Here it weighed"), ...rows,
      field ? make("p", { class: "dw-help" }, "Choose another and it goes on from there.") : null);
    showBelow(pop, word, widget.root);
  }

  /* Open a popover under a word, inside the window; scrolling closes it, and focus goes back to the word. */
  function showBelow(pop, word, root) {
    const close = () => pop.hidePopover();
    pop.addEventListener("toggle", (event) => {
      if (event.newState !== "closed") return;
      const had = pop.contains(document.activeElement) || document.activeElement === document.body;
      window.removeEventListener("scroll", close, true);
      word.classList.remove("dw-opened");
      pop.remove();
      if (had) word.focus({ preventScroll: true });
    });
    root.append(pop);
    pop.showPopover();
    const at = word.getBoundingClientRect();
    const below = at.bottom + 6 + pop.offsetHeight <= window.innerHeight;
    pop.style.left = `${Math.max(8, Math.min(at.left, window.innerWidth - pop.offsetWidth - 8))}px`;
    pop.style.top = `${Math.max(8, below ? at.bottom + 6 : at.top - 6 - pop.offsetHeight)}px`;
    word.classList.add("dw-opened");
    (pop.querySelector("button") || pop).focus({ preventScroll: true });
    window.addEventListener("scroll", close, true);
  }

  /* A view in one sentence, for those who listen. */
  const SPOKEN = {
    bars: (view) => view.values.map(([label, p]) => `${label} ${percent(p)}`).join(", "),
    words: () => "",
    tokens: (view) => view.start + view.pieces.map((piece) => piece.text).join(""),
    picture: (view) => [view.alt, view.caption].filter(Boolean).join(". "),
    strip: (view) => view.pictures[view.pictures.length - 1]?.alt ?? "",
    table: (view) => `a table with ${view.rows.length} rows`,
    note: (view) => view.text,
  };

  // ---------------------------------------------------------------------------- widget

  class Widget {
    constructor({ demo, inputs, wid, base, alone, said }, port) {
      Object.assign(this, { demo, port, base, fields: Object.create(null), views: new Map(), rid: null, runs: 0 });
      this.name = `dw-${wid}`.replace(/[^\w-]/g, "_");
      this.root = this.draw(alone, said);
      this.fill(this.defaults());
      this.fill(inputs);
    }

    draw(alone, said) {
      const { demo, name } = this;
      const [symbol, word] = SIDES[demo.side] || SIDES.both;
      this.link = alone ? null : make("a", { class: "dw-alone", target: "_blank", rel: "noopener" }, "open alone ↗");
      this.results = make("div", { class: "dw-results", "aria-live": "off" });
      this.status = make("p", { class: "dw-hidden", role: "status" });
      const heading = make(alone ? "h1" : "h3", { id: `${name}-title`, class: "dw-title" }, demo.title);
      const side = make("span", { class: "dw-side" }, make("span", { "aria-hidden": "true" }, symbol), ` ${word}`);
      return make("section", { class: `demo-widget dw-${demo.side}`, "aria-labelledby": `${name}-title` },
        make("header", { class: "dw-head" }, heading, side, this.link),
        make("p", { class: "dw-summary" }, demo.summary), said ? make("p", { class: "dw-error" }, said) : null,
        this.form(), this.results, this.status, this.credits());
    }

    form() {
      const submit = (event) => { event.preventDefault(); if (!this.rid) this.start(); };
      this.go = make("button", { type: "submit", class: "dw-go" }, this.demo.action);
      this.halt = make("button", { type: "button", class: "dw-quiet", hidden: true, onclick: () => this.stop() }, "Stop");
      this.state = make("span", { class: "dw-state", "aria-hidden": "true" });
      return make("form", { class: "dw-form", novalidate: true, onsubmit: submit, oninput: () => this.changed() },
        ...this.drawFields(), make("div", { class: "dw-actions" }, this.go, this.halt, this.state), this.examples());
    }

    /* All fields; with more than two inputs, the secondary ones fold under "Settings". */
    drawFields() {
      const parts = this.demo.inputs.map((input, i) => {
        if (!FIELDS[input.kind]) return null;
        const field = FIELDS[input.kind](input, `${this.name}-${input.name}`);
        this.fields[input.name] = field;
        const folded = this.demo.inputs.length > 2 && i > 0 && input.kind !== "text";
        return { node: field.node, folded };
      }).filter(Boolean);
      const folded = parts.filter((part) => part.folded).map((part) => part.node);
      this.brief = make("span", { class: "dw-brief" });
      const settings = make("details", { class: "dw-settings" },
        make("summary", {}, make("span", {}, "Settings"), this.brief), make("div", { class: "dw-folded" }, ...folded));
      return [...parts.filter((part) => !part.folded).map((part) => part.node), folded.length ? settings : null];
    }

    /* A press fills the whole form, what the example leaves open with the defaults, and runs. */
    examples() {
      const use = (example) => { this.fill(this.defaults()); this.fill(example); this.start(); };
      const chips = this.demo.examples.map((example) => {
        const label = this.nameOf(example);
        return make("button", { type: "button", class: "dw-chip", title: label, onclick: () => use(example) }, label);
      });
      return chips.length ? make("div", { class: "dw-chips", role: "group", "aria-label": "Examples" }, ...chips) : null;
    }

    /* An example's text, and what else it sets. */
    nameOf(example) {
      const given = this.demo.inputs.filter((input) => input.name in example && example[input.name] !== false);
      const say = (input) => {
        const value = example[input.name];
        return input.kind === "text" ? value : [input.label, value === true ? "" : value].join(" ").trim();
      };
      return given.map(say).join(" · ");
    }

    defaults() {
      return Object.fromEntries(this.demo.inputs.map((input) => [input.name, input.default]));
    }

    credits() {
      if (!this.demo.credits.length) return null;
      return make("details", { class: "dw-credits" }, make("summary", {}, "Credits"),
        make("ul", {}, ...this.demo.credits.map((credit) => make("li", {}, credit))));
    }

    fill(inputs) {
      for (const [name, value] of Object.entries(inputs || {})) this.fields[name]?.set(value);
      this.changed();
    }

    values() {
      return Object.fromEntries(Object.entries(this.fields).map(([name, field]) => [name, field.get()]));
    }

    /* Keep the link and the line beside "Settings" in step with the fields. */
    changed() {
      const values = this.values();
      const folded = this.demo.inputs.filter((input) => this.fields[input.name]?.node.closest(".dw-folded"));
      const say = ({ label, name }) => ({ true: label, false: "" })[values[name]] ?? `${label}: ${values[name]}`;
      this.brief.textContent = folded.map(say).filter(Boolean).join(" · ");
      if (this.link) this.link.href = `${this.base}/demo/${encodeURIComponent(this.demo.slug)}?${new URLSearchParams(values)}`;
    }

    start() {
      if (this.rid) this.stop();
      this.rid = `${this.name}:${++this.runs}:${Math.random().toString(36).slice(2)}`;
      this.started = performance.now();
      this.busy(true);
      this.results.querySelector(".dw-error")?.remove();
      this.views.forEach((view) => { view.fresh = false; view.node.classList.add("dw-stale"); });
      this.state.textContent = STATES.running;
      this.port.run({ rid: this.rid, slug: this.demo.slug, inputs: this.values() }, (reply) => this.receive(reply));
      this.wait();
    }

    stop() {
      this.port.halt(this.rid);
      this.end("Stopped.");
    }

    receive(reply) {
      if (reply.rid !== this.rid) return;
      this.wait();
      this.state.textContent = STATES[reply.state] || "";
      reply.views.forEach((view) => this.show(view));
      if (reply.state !== "done") return;
      if (reply.error) this.fail(reply.error);
      else this.end(`Done in ${((performance.now() - this.started) / 1000).toFixed(1)} s`);
    }

    /* Give up, in words, when nothing at all is heard for long. */
    wait() {
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.fail(NO_ANSWER), PATIENCE);
    }

    show(view) {
      const json = JSON.stringify(view);
      const old = this.views.get(view.key);
      if (old) old.node.classList.remove("dw-stale");
      if (old?.json === json) { old.fresh = true; return; }
      if (!VIEWS[view.kind]) return;
      const inner = VIEWS[view.kind](view, old?.kind === view.kind ? old.inner : null, this);
      const node = old?.node ?? this.results.appendChild(make("div", { class: `dw-view dw-view-${view.kind}` }));
      if (inner.parentNode !== node) node.replaceChildren(view.title ? make("h4", {}, view.title) : "", inner);
      this.views.set(view.key, { json, node, inner, kind: view.kind, view, fresh: true });
      this.results.classList.toggle("dw-pair", this.results.querySelectorAll(".dw-view-picture").length > 1);
    }

    fail(text) {
      this.results.prepend(make("p", { class: "dw-error", role: "alert" }, text));
      this.end("");
    }

    end(said) {
      clearTimeout(this.timer);
      this.rid = null;
      this.views.forEach((view, key) => {
        if (view.fresh) return;
        view.node.remove();
        this.views.delete(key);
      });
      this.busy(false);
      this.state.textContent = said;
      const spoken = [...this.views.values()].map(({ view }) => SPOKEN[view.kind](view)).filter(Boolean);
      this.status.textContent = said ? [said, ...spoken].join(". ") : "";
    }

    /* While running, the results keep their height, so that nothing below them jumps. */
    busy(running) {
      if (!running && document.activeElement === this.halt) this.go.focus();
      this.results.style.minHeight = running ? `${this.results.offsetHeight}px` : "";
      this.results.setAttribute("aria-busy", running);
      this.go.setAttribute("aria-disabled", running);
      this.halt.hidden = !running;
      this.root.classList.toggle("dw-running", running);
    }
  }

  // ------------------------------------------------------------------- ways to the server

  /* The way through the page's bridge component. Calls made before it is there wait for it. */
  const bridge = {
    port: null, early: [], calls: new Map(),

    run(call, receive) {
      this.calls.set(call.rid, { receive, known: false, halted: false });
      if (this.port) this.port.run(call);
      else this.early.push(call);
    },

    /* The server knows a run from its first reply on; a halt before that waits for it. */
    halt(rid) {
      const call = this.calls.get(rid);
      if (call?.known) this.port.halt(rid);
      if (call) call.halted = true;
    },

    connect(port) {
      this.port = port;
      this.early.splice(0).forEach((call) => port.run(call));
    },

    receive(reply) {
      const call = this.calls.get(reply.rid);
      if (!call) return;
      if (call.halted && !call.known) this.port.halt(reply.rid);
      call.known = true;
      if (reply.state === "done") this.calls.delete(reply.rid);
      call.receive(reply);
    },
  };

  /* The way without Gradio: POST the call, read the replies from the event stream that answers it. */
  function streamed(url) {
    const visitor = Math.random().toString(36).slice(2);
    const runs = new Map();
    return {
      run(call, receive) {
        this.stream(call, receive).catch((error) => console.info("The run ended early:", error.message));
      },
      async stream(call, receive) {
        const aborter = new AbortController();
        runs.set(call.rid, aborter);
        try {
          const body = JSON.stringify({ ...call, visitor });
          await readEvents(await fetch(url, { method: "POST", body, signal: aborter.signal }), receive);
        } finally {
          runs.delete(call.rid);
          receive({ rid: call.rid, state: "done", views: [], error: NO_ANSWER }); // unless it had ended
        }
      },
      halt: (rid) => runs.get(rid)?.abort(),
    };
  }

  async function readEvents(response, receive) {
    if (!response.ok) throw new Error(`HTTP ${response.status}`);
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "";
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      const events = (rest + part.value).split("\n\n");
      rest = events.pop();
      events.forEach((event) => receive(JSON.parse(event.slice("data: ".length))));
    }
  }

  // ------------------------------------------------------------------------------- public

  const widgets = new Map(); // what was typed and shown outlives the message's own redrawing

  function mount(host, config, port = bridge) {
    if (!config?.demo) return;
    const key = JSON.stringify([config.wid, config.demo.slug, config.inputs]);
    const fresh = !widgets.has(key);
    const base = (window.gradio_config?.root ?? "").replace(/\/$/, "");
    if (fresh) widgets.set(key, new Widget({ base, ...config }, port));
    const widget = widgets.get(key);
    if (host.firstChild !== widget.root) host.replaceChildren(widget.root);
    if (fresh && config.autorun) widget.start();
  }

  return { mount, streamed, connect: (port) => bridge.connect(port), receive: (reply) => bridge.receive(reply) };
})();
