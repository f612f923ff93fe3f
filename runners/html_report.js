// SPDX-License-Identifier: MIT
//
// What the page of `mapspec report --html` does beyond a static table: search and filters, groups
// that fold, cells that open to their evidence, and the keyboard (the grid pattern of the ARIA
// Authoring Practices: one tab stop, arrows move). All texts are taken from the page as nodes, never
// as markup.
'use strict';
(() => {
  const $ = (id) => document.getElementById(id);
  const table = $('matrix'), form = $('filters'), dialog = $('cell');

  const make = (tag, attributes, ...children) => {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes || {})) node.setAttribute(name, value);
    node.append(...children);
    return node;
  };

  // ---- The table as it was written.
  const runs = [...table.tHead.rows[0].cells].slice(1).map((th) => th.dataset.name);
  const groups = [], rows = [];
  for (const body of table.tBodies) {
    const head = body.rows[0], title = head.cells[0].firstElementChild;
    const button = make('button', {type: 'button', 'aria-expanded': 'true', tabindex: '-1'}, title.textContent);
    title.replaceWith(button);
    const group = {body, button, size: head.cells[0].querySelector('small'), rows: []};
    for (const tr of [...body.rows].slice(1)) {
      const row = {tr, group, summary: tr.querySelector('summary'), cells: [...tr.cells].slice(1), text: null};
      row.summary.tabIndex = -1;
      group.rows.push(row);
      rows.push(row);
    }
    button.addEventListener('click', () => fold(group, isOpen(group)));
    groups.push(group);
  }
  const rowOf = new Map(rows.map((row) => [row.tr, row]));
  table.setAttribute('role', 'grid');
  table.classList.add('grid');

  // ---- Groups.
  const isOpen = (group) => group.button.getAttribute('aria-expanded') === 'true';
  function fold(group, close) {
    group.body.classList.toggle('closed', close);
    group.button.setAttribute('aria-expanded', String(!close));
    $('fold').textContent = groups.some(isOpen) ? 'Collapse all' : 'Expand all';
    // What cannot be seen cannot be the tab stop.
    if (close && current && group.body.contains(current)) setCurrent(group.button, false);
  }
  $('fold').addEventListener('click', () => {
    const close = groups.some(isOpen);
    for (const group of groups) fold(group, close);
  });

  // ---- Search and filters. What is chosen stands in the address, so that it can be passed on.
  const chosen = () => ({
    q: $('q').value.trim(),
    status: [...form.elements.status].filter((box) => box.checked).map((box) => box.value).join(''),
    level: $('level').value,
    path: $('path').value,
    differ: $('differ').checked ? '1' : '',
    disputed: $('disputed').checked ? '1' : '',
  });

  function differs(row) {
    const told = new Set(row.cells.map((td) => td.className));
    told.delete('n');
    return told.size > 1;
  }

  function matches(row, filter, words) {
    if (filter.level && row.tr.dataset.l !== filter.level) return false;
    if (filter.path && row.tr.dataset.p !== filter.path) return false;
    if (filter.disputed && !('d' in row.tr.dataset)) return false;
    if (filter.status && !row.cells.some((td) => filter.status.includes(td.className))) return false;
    if (filter.differ && !differs(row)) return false;
    if (words.length === 0) return true;
    row.text ??= row.tr.cells[0].textContent.toLowerCase();
    return words.every((word) => row.text.includes(word));
  }

  function apply() {
    const filter = chosen();
    const words = filter.q.toLowerCase().split(/\s+/).filter(Boolean);
    const active = Object.values(filter).some(Boolean);
    let shown = 0;
    for (const group of groups) {
      let its = 0;
      for (const row of group.rows) {
        const visible = matches(row, filter, words);
        row.tr.hidden = !visible;
        its += visible;
      }
      shown += its;
      group.body.hidden = its === 0;
      group.size.textContent = its === group.rows.length ? its : `${its} of ${group.rows.length}`;
      if (active) fold(group, false);
    }
    $('shown').textContent = shown === rows.length ? `${rows.length} rows` : `${shown} of ${rows.length} rows`;
    $('none').hidden = shown !== 0;
    if (current && !current.offsetParent) { current.tabIndex = -1; current = null; }
    if (!current) setCurrent(firstStop(), false);
    const state = new URLSearchParams(Object.entries(filter).filter(([, value]) => value)).toString();
    try { history.replaceState(null, '', state ? '#' + state : location.pathname + location.search); } catch { /* about:srcdoc */ }
  }

  function restore() {
    const state = new URLSearchParams(location.hash.slice(1));
    $('q').value = state.get('q') || '';
    for (const box of form.elements.status) box.checked = (state.get('status') || '').includes(box.value);
    $('level').value = state.get('level') || '';
    $('path').value = state.get('path') || '';
    $('differ').checked = state.has('differ');
    $('disputed').checked = state.has('disputed');
  }

  form.addEventListener('input', apply);
  form.addEventListener('submit', (event) => event.preventDefault());
  form.addEventListener('reset', () => setTimeout(apply));
  $('clear').addEventListener('click', () => { form.reset(); $('q').focus(); });
  addEventListener('hashchange', () => { restore(); apply(); });

  // ---- The keyboard. A line is a group's head or a row; column 0 is what stands on the left.
  let current = null;
  const lines = () => groups.filter((group) => !group.body.hidden)
      .flatMap((group) => [group, ...(isOpen(group) ? group.rows.filter((row) => !row.tr.hidden) : [])]);
  const stop = (line, column) => line.button || (column === 0 ? line.summary : line.cells[column - 1]);
  const firstStop = () => { const all = lines(); return all.length ? stop(all[0], 0) : null; };

  function setCurrent(node, focus) {
    if (!node) return;
    if (current) current.tabIndex = -1;
    current = node;
    node.tabIndex = 0;
    if (node.tagName === 'TD') node.setAttribute('aria-haspopup', 'dialog');
    if (focus) node.focus();
  }

  let column = 0;
  function move(key, control) {
    const all = lines();
    const at = all.findIndex((line) => line.button ? line.button === current : line.tr.contains(current));
    if (at < 0) return false;
    const last = runs.length, page = 12;
    let to = at;
    if (!all[at].button) column = current.tagName === 'TD' ? all[at].cells.indexOf(current) + 1 : 0;
    if (key === 'ArrowDown') to = at + 1;
    else if (key === 'ArrowUp') to = at - 1;
    else if (key === 'PageDown') to = at + page;
    else if (key === 'PageUp') to = at - page;
    else if (key === 'ArrowRight') column = all[at].button ? column : Math.min(column + 1, last);
    else if (key === 'ArrowLeft') column = Math.max(column - 1, 0);
    else if (key === 'Home') { column = 0; if (control) to = 0; }
    else if (key === 'End') { column = last; if (control) to = all.length - 1; }
    else return false;
    to = Math.max(0, Math.min(all.length - 1, to));
    setCurrent(stop(all[to], column), true);
    return true;
  }

  table.addEventListener('keydown', (event) => {
    if (event.altKey || event.metaKey) return;
    const row = rowOf.get(event.target.closest('tr'));
    const details = event.target.closest('details');
    if (event.key === 'Escape' && details && details.open) {
      details.open = false;
      setCurrent(row.summary, true);
    } else if ((event.key === 'Enter' || event.key === ' ') && row && event.target.tagName === 'TD') {
      open(row, row.cells.indexOf(event.target));
    } else if (!move(event.key, event.ctrlKey)) {
      return;
    }
    event.preventDefault();
  });
  table.addEventListener('focusin', (event) => {
    if (event.target.matches('td, summary, .group button')) setCurrent(event.target, false);
  });
  table.addEventListener('click', (event) => {
    const td = event.target.closest('td[class]'), row = td && rowOf.get(td.parentNode);
    if (!row) return;
    setCurrent(td, true);
    open(row, row.cells.indexOf(td));
  });
  addEventListener('keydown', (event) => {
    if (event.key !== '/' || event.ctrlKey || dialog.open || event.target.matches('input, select')) return;
    event.preventDefault();
    $('q').focus();
    $('q').select();
  });

  // ---- The evidence of one cell.
  let shownRow = null, shownRun = 0;
  const mark = (td) => make('span', {class: 'm ' + td.className}, td.textContent.trim());

  function said(row, run) {
    const td = row.cells[run];
    for (const section of row.tr.querySelectorAll('section')) {
      if (!section.dataset.c.split(' ').includes(String(run))) continue;
      const copy = section.cloneNode(true);
      copy.className = td.className;
      copy.querySelector('h4').replaceChildren(mark(td), runs[run]);
      return copy;
    }
    const text = {p: 'All that was asked about it was answered as promised.', n: 'This run does not tell of it.'}[td.className];
    return make('section', {class: td.className}, make('h4', {}, mark(td), runs[run]), make('p', {}, text || 'No reason is recorded.'));
  }

  function render() {
    const row = shownRow, summary = row.summary;
    const close = make('button', {type: 'button', autofocus: ''}, 'Close ', make('kbd', {}, 'Esc'));
    close.addEventListener('click', shut);
    const choice = make('div', {class: 'runs', role: 'group', 'aria-label': 'Runs'});
    row.cells.forEach((td, run) => {
      const button = make('button', {type: 'button', 'aria-pressed': String(run === shownRun)}, runs[run], mark(td));
      button.addEventListener('click', () => { shownRun = run; render(); dialog.querySelectorAll('.runs button')[run].focus(); });
      choice.append(button);
    });
    const tags = [...summary.querySelectorAll('small')].map((tag) => tag.textContent).join(' · ');
    const claim = summary.querySelector('span');
    dialog.replaceChildren(
        make('div', {class: 'top'}, make('h2', {id: 'cell-title'}, summary.querySelector('code').textContent), close),
        make('p', {class: 'claim'}, ...(claim ? claim.cloneNode(true).childNodes : [])), make('p', {class: 'tags'}, tags),
        ...(runs.length > 1 ? [choice] : []), said(row, shownRun),
        row.tr.querySelector('details > div > dl').cloneNode(true));
    dialog.scrollTop = 0;
  }

  // The focus goes back at once: by the time of the `close` event a reader may be elsewhere.
  function shut() {
    if (!shownRow) return;
    const cell = shownRow.cells[shownRun];
    shownRow = null;
    dialog.close();
    setCurrent(cell, true);
  }

  function open(row, run) {
    shownRow = row;
    shownRun = run;
    render();
    dialog.showModal();
  }

  dialog.addEventListener('keydown', (event) => {
    if (event.key === 'Escape') {
      event.preventDefault();
      shut();
      return;
    }
    const step = {ArrowLeft: -1, ArrowRight: 1}[event.key];
    const run = shownRun + (step || 0);
    if (!step || event.altKey || event.ctrlKey || event.metaKey || run < 0 || run >= runs.length) return;
    event.preventDefault();
    shownRun = run;
    render();
    (dialog.querySelector('.runs [aria-pressed=true]') || dialog).focus();
  });
  dialog.addEventListener('click', (event) => { if (event.target === dialog) shut(); });
  dialog.addEventListener('close', shut);  // By the browser, in whatever way it has.

  // ---- On paper: the evidence of what does not pass.
  let opened = [];
  addEventListener('beforeprint', () => {
    opened = rows.filter((row) => !row.tr.hidden && row.cells.some((td) => 'fdu'.includes(td.className)))
        .map((row) => row.tr.querySelector('details')).filter((details) => !details.open);
    for (const details of opened) details.open = true;
  });
  addEventListener('afterprint', () => { for (const details of opened) details.open = false; });

  const measure = () => document.documentElement.style.setProperty('--head', table.tHead.offsetHeight + 'px');
  if (window.ResizeObserver) new ResizeObserver(measure).observe(table.tHead);
  measure();
  form.hidden = false;
  restore();
  apply();
})();
