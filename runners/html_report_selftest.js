// SPDX-License-Identifier: MIT
//
// Appended to a page of `mapspec report --html` by html_report_browser_test: searches, filters, opens
// and closes as a reader does, and writes a line for each check into the page.
'use strict';
(async () => {
  const log = document.createElement('pre');
  log.id = 'selftest';
  const say = (line) => log.append('\n' + line);
  const check = (what, got, expected = true) =>
      say(got === expected ? 'ok ' + what : `FAILED ${what}: got ${got}, expected ${expected}`);
  addEventListener('error', (event) => say('FAILED error: ' + event.message));
  const $ = (selector) => document.querySelector(selector);
  const all = (selector) => [...document.querySelectorAll(selector)];
  const visible = (nodes) => nodes.filter((node) => node.offsetParent !== null);
  const rows = () => visible(all('tbody tr[data-l]'));
  const key = (name, more = {}) => document.activeElement.dispatchEvent(
      new KeyboardEvent('keydown', {key: name, bubbles: true, cancelable: true, ...more}));
  const search = (text) => {
    $('#q').value = text;
    $('#q').dispatchEvent(new Event('input', {bubbles: true}));
  };
  const tick = (node) => node.click();
  const settle = () => new Promise((resolve) => setTimeout(resolve, 20));

  try {
    const total = rows().length;
    check('rows are there', total > 80);
    check('three runs', all('thead tr:first-child th[data-name]').length, 3);
    check('controls are shown', visible([$('#filters')]).length, 1);
    check('nothing from outside became an element', all('img, table script').length, 0);

    // Search.
    search('queue.pop.empty');
    check('search leaves what it finds', rows().map((tr) => tr.querySelector('code').textContent).includes('queue.pop.empty'));
    check('search takes the rest away', rows().length < 10);
    check('search says how many', $('#shown').textContent, `${rows().length} of ${total} rows`);
    check('search stands in the address', location.hash, '#q=queue.pop.empty');
    search('QUEUE fifo');
    check('search takes words in any case', rows().length > 0 && rows().length < total);
    search('no such words');
    check('nothing found is said', rows().length === 0 && visible([$('#none')]).length === 1);
    $('#clear').click();
    await settle();
    check('reset shows all again', rows().length, total);

    // Filters.
    const count = (selector) => all('tbody tr[data-l]').filter((tr) => tr.matches(selector)).length;
    tick($('[name=status][value=f]'));
    check('status: fail', rows().length, count(':has(td.f)'));
    check('status: fail is some', rows().length > 0 && rows().length < total);
    tick($('[name=status][value=s]'));
    check('status: fail or skip', rows().length, count(':has(td.f, td.s)'));
    $('[type=reset]').click();
    await settle();
    for (const [id, value, selector] of [['level', 'documented', '[data-l=documented]'], ['path', 'both', '[data-p=both]']]) {
      $('#' + id).value = value;
      $('#' + id).dispatchEvent(new Event('input', {bubbles: true}));
      check(`${id}: ${value}`, rows().length, count(selector));
      $('[type=reset]').click();
      await settle();
    }
    tick($('#disputed'));
    check('disputed', rows().length, count('[data-d]'));
    check('disputed is some', rows().length > 0 && rows().length < total);
    tick($('#disputed'));
    tick($('#differ'));
    check('columns differ', rows().length, count(':has(td.p):has(td:is(.f, .d, .s, .u)), :has(td.f):has(td:is(.d, .s, .u)), :has(td.s):has(td:is(.d, .u)), :has(td.d):has(td.u)'));
    tick($('#differ'));
    check('all rows again', rows().length, total);

    // Groups.
    const group = $('.group button'), body = group.closest('tbody');
    group.click();
    check('a group folds', visible([...body.querySelectorAll('[data-l]')]).length, 0);
    check('and says so', group.getAttribute('aria-expanded'), 'false');
    group.click();
    check('and unfolds', group.getAttribute('aria-expanded'), 'true');
    body.querySelector('summary').focus();
    $('#fold').click();
    check('all fold', rows().length, 0);
    check('the tab stop is not folded away', visible(all('#matrix [tabindex="0"]')).length, 1);
    search('queue.pop.empty');
    check('a search opens them', rows().length > 0);
    search('');

    // The keyboard: one tab stop, arrows, Enter, Space, Escape.
    check('one tab stop in the table', all('#matrix [tabindex="0"]').length, 1);
    $('#matrix [tabindex="0"]').focus();
    key('Home', {ctrlKey: true});
    check('it is the first group', document.activeElement, group);
    key('ArrowDown');
    check('down: the first row', document.activeElement, body.querySelector('summary'));
    key('ArrowRight');
    key('ArrowRight');
    const cell = document.activeElement;
    check('right, right: its second cell', cell, body.querySelector('[data-l]').cells[2]);
    check('the focus is seen', getComputedStyle(cell).outlineStyle !== 'none' && cell.matches(':focus-visible'));
    check('the cell says that it opens', cell.getAttribute('aria-haspopup'), 'dialog');
    for (const name of ['Enter', ' ']) {
      key(name);
      check(`"${name}" opens it`, $('#cell').open);
      check('with the clause as its name', $('#cell-title').textContent, cell.parentNode.querySelector('code').textContent);
      check('with the focus inside', $('#cell').contains(document.activeElement));
      check('with source and script', all('#cell > dl > dt').map((dt) => dt.textContent).join(), 'Source,Script');
      key('Escape');
      check('Escape closes it', $('#cell').open, false);
      check('and the focus is back', document.activeElement, cell);
    }
    key('Enter');
    key('ArrowLeft');
    check('left: the run before', $('#cell [aria-pressed=true]').textContent.startsWith('userspace'));
    key('Escape');
    check('the focus is at that cell', document.activeElement, cell.parentNode.cells[1]);
    for (let i = 0; i < 40; ++i) key('ArrowDown');
    for (let i = 0; i < 30; ++i) key('ArrowUp');
    const box = document.activeElement.getBoundingClientRect();
    check('the focus is not below the header', document.elementFromPoint(box.left + 4, box.top + 4), document.activeElement);
    key('End', {ctrlKey: true});
    check('Ctrl+End: the last cell', document.activeElement, rows().pop().cells[3]);
    key('Home', {ctrlKey: true});
    check('Ctrl+Home: the first line', document.activeElement, group);
    check('still one tab stop', all('#matrix [tabindex="0"]').length, 1);
    key('/');
    check('"/": the search', document.activeElement, $('#q'));

    // The mouse, and the evidence of a failure.
    const failing = $('td.f:nth-of-type(2)');
    failing.click();
    const text = $('#cell section').textContent;
    check('a click opens a failure', text.includes('VIOLATION of '));
    check('expected against got', all('#cell .eg dt').map((dt) => dt.textContent).join(), 'expected,got');
    check('one run\'s evidence only', all('#cell section').length, 1);
    $('#cell .top button').click();
    check('its button closes it', document.activeElement, failing);
    const hostile = all('tbody').pop().querySelector('td.f') || all('td.f').pop();
    hostile.click();
    check('hostile text is text', $('#cell').textContent.includes('<img src=x') && all('#cell img').length === 0);
    $('#cell').close();
    await new Promise((resolve) => $('#cell').addEventListener('close', resolve, {once: true}));
    check('however it closes, the focus is back', document.activeElement, hostile);

    // A row opens without any of this: <details>.
    const details = body.querySelector('details');
    details.open = true;
    check('a row opens', visible([details.querySelector('dl')]).length, 1);
    details.querySelector('summary').focus();
    key('Escape');
    check('and closes', details.open, false);

    // Paper: what does not pass is open, and closed again.
    dispatchEvent(new Event('beforeprint'));
    check('print opens what fails', failing.closest('tr').querySelector('details').open);
    check('and not what passes', all('details[open]').every((each) => each.closest('tr').matches(':has(td:is(.f, .d, .u))')));
    dispatchEvent(new Event('afterprint'));
    check('and closes it again', all('details[open]').length, 0);

    // Nothing moves sideways but the matrix.
    check('no sideways scrolling', document.documentElement.scrollWidth <= innerWidth);
    const head = $('thead').getBoundingClientRect().top;
    $('main').scrollTop = 3000;
    check('the header stays', Math.round($('thead').getBoundingClientRect().top), Math.round(head));
    const background = getComputedStyle(document.documentElement).backgroundColor;
    say('end, ' + (background === 'rgb(255, 255, 255)' ? 'light' : 'dark'));
  } catch (error) {
    say('FAILED exception: ' + error.stack);
  }
  document.body.append(log);
})();
