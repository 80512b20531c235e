// What is read from a page, and done in it: a function of an operation and its arguments. It leaves nothing behind in
// the page but the marks' attribute. It runs in a world of its own, where the page's scripts have changed nothing. What it
// gives is checked by its reader all the same, and is as trustworthy as the page.
([operation, given]) => {
  const MARK = "data-symposia-mark";
  const INTERACTIVE = new Set(["A", "BUTTON", "INPUT", "SELECT", "TEXTAREA", "SUMMARY", "OPTION", "VIDEO", "AUDIO"]);
  const ROLES = new Set(["button", "link", "checkbox", "radio", "switch", "tab", "menuitem", "menuitemcheckbox",
    "menuitemradio", "option", "combobox", "textbox", "searchbox", "slider", "spinbutton", "treeitem"]);
  const SKIPPED = new Set(["SCRIPT", "STYLE", "NOSCRIPT", "TEMPLATE", "SVG", "HEAD", "IFRAME", "OBJECT"]);
  const BLOCKS = new Set(["P", "DIV", "SECTION", "ARTICLE", "MAIN", "HEADER", "FOOTER", "NAV", "ASIDE", "FORM", "UL", "OL",
    "DL", "DT", "DD", "FIGURE", "FIGCAPTION", "FIELDSET", "ADDRESS", "TABLE", "DETAILS", "SUMMARY"]);

  // A field of a form stands for the form's property of its name, in this world too. Such a form is left out.
  const isShadowed = (element) => element instanceof HTMLFormElement &&
    [...Element.prototype.querySelectorAll.call(element, "[name],[id]")].some((field) =>
      field.getAttribute("name") in Element.prototype || field.id in Element.prototype);
  // All elements, also those in open shadow roots, in the order of the document.
  function* elements(root) {
    for (const element of root.querySelectorAll("*")) {
      if (isShadowed(element)) continue;
      yield element;
      if (element.shadowRoot) yield* elements(element.shadowRoot);
    }
  }
  const shorten = (text, limit) => {
    const plain = String(text ?? "").slice(0, 50 * limit).replace(/\s+/g, " ").trim();
    return plain.length > limit ? plain.slice(0, limit) + "…" : plain;
  };
  const isShown = (element) => {
    const style = getComputedStyle(element);
    return style.visibility === "visible" && style.display !== "none" && Number(style.opacity) > 0.01;
  };
  const scrolls = (element) => {
    const overflow = getComputedStyle(element).overflowY;
    return (overflow === "auto" || overflow === "scroll") && element.scrollHeight > element.clientHeight + 8;
  };
  const isInteractive = (element) => {
    if (INTERACTIVE.has(element.tagName)) {
      if (element.disabled || element.type === "hidden") return false;
      if (element.tagName === "A") return element.hasAttribute("href") || element.hasAttribute("onclick");
      return element.tagName !== "OPTION";
    }
    if (ROLES.has(element.getAttribute("role")) || element.isContentEditable && element.hasAttribute("contenteditable"))
      return true;
    if (element.hasAttribute("onclick") || element.tabIndex > 0) return true;
    // A pointer is inherited: only the outermost element that has it is one that was made to be clicked.
    return getComputedStyle(element).cursor === "pointer" && !element.closest("a,button,label") &&
      !(element.parentElement && getComputedStyle(element.parentElement).cursor === "pointer");
  };
  const nameOf = (element) => {
    const label = element.getAttribute("aria-label") || (element.labels && element.labels[0] && element.labels[0].innerText);
    const value = element.tagName === "INPUT" && ["submit", "button", "reset"].includes(element.type) && element.value;
    const image = element.querySelector && element.querySelector("img[alt]");
    return shorten(label || value || element.getAttribute("placeholder") ||
      (element.tagName === "SELECT" ? element.name : element.innerText) || element.title ||
      (image && image.alt) || element.getAttribute("name"), given.name_length);
  };
  const valueOf = (element) => {
    if (element.tagName === "SELECT") return shorten(element.selectedOptions[0] && element.selectedOptions[0].text, given.name_length);
    if (element.tagName === "INPUT" && element.type === "password") return element.value ? "(hidden)" : "";
    if (element.tagName === "INPUT" && ["checkbox", "radio"].includes(element.type)) return element.checked ? "checked" : "";
    return ["INPUT", "TEXTAREA"].includes(element.tagName) && !["submit", "button", "reset"].includes(element.type)
      ? shorten(element.value, given.name_length) : "";
  };
  const optionsOf = (element) => {
    if (element.tagName !== "SELECT") return [];
    const texts = [...element.options].slice(0, given.most_options).map((option) => shorten(option.text, given.option_length));
    return element.options.length > given.most_options ? [...texts, "…"] : texts;
  };
  // Whether a rectangle in the view is not covered by something else, such as a dialog.
  const isOnTop = (element, box) => {
    const x = Math.min(Math.max(box.left + box.width / 2, 0), innerWidth - 1);
    const y = Math.min(Math.max(box.top + box.height / 2, 0), innerHeight - 1);
    if (box.bottom <= 0 || box.top >= innerHeight || box.right <= 0 || box.left >= innerWidth) return true;
    const top = element.getRootNode().elementFromPoint(x, y);
    return !top || element === top || element.contains(top) || top.contains(element) && !top.matches("dialog,[role=dialog]") ||
      Boolean(top.closest("label") && top.closest("label").control === element);
  };
  const rectangle = (box) => ({ x: box.x, y: box.y, width: box.width, height: box.height,
    top: box.top, left: box.left, right: box.right, bottom: box.bottom });

  function marks() {
    for (const element of elements(document)) element.removeAttribute(MARK);
    const found = {};
    let number = 0;
    for (const element of elements(document)) {
      if (number >= given.most_marks) break;
      const scrollable = scrolls(element) && element !== document.documentElement && element !== document.body;
      if (!scrollable && !isInteractive(element) || !isShown(element)) continue;
      const boxes = [...element.getClientRects()].filter((box) => box.width > 2 && box.height > 2 && isOnTop(element, box));
      if (!boxes.length) continue;
      number += 1;
      element.setAttribute(MARK, String(number));
      found[number] = { tag_name: element.tagName.toLowerCase() + (element.type ? "/" + shorten(element.type, 20) : ""),
        role: shorten(element.getAttribute("role") || "", 40), aria_name: nameOf(element), v_scrollable: scrollable,
        value: valueOf(element), options: optionsOf(element), rects: boxes.slice(0, 4).map(rectangle) };
    }
    return found;
  }

  // The page as Markdown, within a number of characters.
  function markdown() {
    let left = given.limit;
    const parts = [];
    const put = (text) => { if (left > 0) { parts.push(text.slice(0, left)); left -= text.length; } };
    const inside = (node, context) => { for (const child of node.childNodes) walk(child, context); };
    const textOf = (node) => shorten(node.innerText ?? node.textContent, 500);
    function walk(node, context) {
      if (left <= 0) return;
      if (isShadowed(node)) {
        for (const child of Reflect.get(Node.prototype, "childNodes", node)) walk(child, context);
        return;
      }
      if (node.nodeType === Node.TEXT_NODE) {
        put(context.pre ? node.data : node.data.replace(/\s+/g, " "));
        return;
      }
      if (node.nodeType !== Node.ELEMENT_NODE || SKIPPED.has(node.tagName.toUpperCase()) || !isShown(node)) return;
      const tag = node.tagName;
      if (/^H[1-6]$/.test(tag)) put("\n\n" + "#".repeat(Number(tag[1])) + " " + textOf(node) + "\n\n");
      else if (tag === "BR") put("\n");
      else if (tag === "HR") put("\n\n---\n\n");
      else if (tag === "IMG") { if (node.alt) put("![" + shorten(node.alt, 200) + "]"); }
      else if (tag === "A" && node.href) {
        const text = textOf(node);
        if (text) put(/^https?:/.test(node.href) ? "[" + text + "](" + node.href.slice(0, 500) + ")" : text);
      } else if (tag === "PRE") { put("\n\n```\n"); inside(node, { pre: true }); put("\n```\n\n"); }
      else if (tag === "LI") { put("\n- "); inside(node, context); }
      else if (tag === "TR") {
        const cells = [...node.cells].map((cell) => textOf(cell).replaceAll("|", "\\|"));
        put("\n| " + cells.join(" | ") + " |");
        if (node.rowIndex === 0) put("\n|" + " --- |".repeat(cells.length));
      } else if (tag === "INPUT" || tag === "TEXTAREA" || tag === "SELECT") {
        if (node.type !== "password" && node.type !== "hidden" && node.value) put(" [" + shorten(node.value, 200) + "] ");
      } else {
        if (BLOCKS.has(tag)) put("\n\n");
        inside(node.shadowRoot || node, context);
        if (BLOCKS.has(tag)) put("\n\n");
      }
    }
    if (document.body) walk(document.body, {});
    return { text: parts.join("").replace(/[ \t]+\n/g, "\n").replace(/\n{3,}/g, "\n\n").trim(), is_cut: left <= 0 };
  }

  function visibleText() {
    const texts = [];
    let left = given.limit;
    const root = document.body ?? document.documentElement;  // an SVG has no body, and scripts can remove all
    if (!root) return "";
    const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
    while (left > 0 && walker.nextNode()) {
      const node = walker.currentNode;
      const text = shorten(node.data, left);
      const parent = node.parentElement;
      const isSkipped = !(parent instanceof HTMLFormElement) && SKIPPED.has(parent.tagName.toUpperCase());
      if (!text || isSkipped || !isShown(parent)) continue;
      const range = document.createRange();
      range.selectNodeContents(node);
      const box = range.getBoundingClientRect();
      if (box.width && box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth) {
        texts.push(text);
        left -= text.length;
      }
    }
    return texts.join("\n");
  }

  function metadata() {
    const tags = {};
    for (const meta of [...document.querySelectorAll("meta[content]")].slice(0, 100)) {
      const name = meta.getAttribute("name") || meta.getAttribute("property");
      if (name) tags[shorten(name, 100)] = shorten(meta.content, 500);
    }
    const linked = [...document.querySelectorAll("script[type='application/ld+json']")].slice(0, 10);
    return { title: shorten(document.title, 300), meta_tags: tags, jsonld: linked.map((script) => script.text.slice(0, 10000)) };
  }

  function focused() {
    let element = document.activeElement;
    while (element && element.shadowRoot && element.shadowRoot.activeElement) element = element.shadowRoot.activeElement;
    return element && element.getAttribute(MARK);
  }

  function viewport() {
    const view = visualViewport, root = document.documentElement;
    return { height: view.height, width: view.width, offsetLeft: view.offsetLeft, offsetTop: view.offsetTop,
      pageLeft: view.pageLeft, pageTop: view.pageTop, scale: view.scale, clientWidth: root?.clientWidth ?? 0,
      clientHeight: root?.clientHeight ?? 0, scrollWidth: root?.scrollWidth ?? 0, scrollHeight: root?.scrollHeight ?? 0 };
  }

  function marked() {
    for (const element of elements(document)) if (element.getAttribute(MARK) === given.mark) return element;
    return null;
  }

  function scroll() {
    const element = given.mark === null ? null : marked();
    if (given.mark !== null && !element) return false;
    const step = given.direction * 0.9;
    if (element) element.scrollTop += step * element.clientHeight; else window.scrollBy(0, step * innerHeight);
    return true;
  }

  function outline() {
    const element = marked();
    if (element) element.style.outline = given.shown ? "3px solid #d00" : "";
    return Boolean(element);
  }

  function cursor() {
    let arrow = document.getElementById("symposia-cursor");
    if (given.shown && !arrow) {
      arrow = document.createElement("div");
      arrow.id = "symposia-cursor";
      arrow.style.cssText = "position:fixed;width:12px;height:12px;border-radius:6px;background:#d00;z-index:2147483647;pointer-events:none";
      document.documentElement.append(arrow);
    }
    if (arrow && given.shown) { arrow.style.left = given.x - 6 + "px"; arrow.style.top = given.y - 6 + "px"; }
    if (arrow && !given.shown) arrow.remove();
    return true;
  }

  const text = () => (document.body ? document.body.innerText : "").slice(0, given.limit);
  const status = () => performance.getEntriesByType("navigation")[0]?.responseStatus ?? 0;
  const view = () => ({ marks: marks(), viewport: viewport(), title: metadata().title, status: status(), text: visibleText() });
  return { view, marks, markdown, visibleText, metadata, focused, viewport, scroll, outline, cursor, text }[operation]();
}
