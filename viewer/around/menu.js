// The menu: four arrows, OK and back are enough, and so is a finger. Settings that it changes go
// into the page's address and take effect at once. Two columns, so that it fits a TV without scrolling; up and
// down go through both, left and right change a setting, or go to the other column where there is none.
(function () {
  'use strict';

  var mantel = window.mantel, root = mantel.root, t = mantel.t;
  // A menu that was left open goes by itself: nothing stays on a screen that nobody touches.
  var IDLE_MS = 30000;

  var box = null, list, panes, rows, buttons, at = 0, idle, before;

  // A setting's row: its key, its values with their words, and what holds when the address is silent.
  function setting(label, key, values, otherwise) {
    return { label: label, key: key, values: values, otherwise: otherwise };
  }

  // The first row of the second column.
  function split(row) {
    row.isSplit = true;
    return row;
  }

  // A value that the menu does not offer is a row's as well, in its own words.
  function withOwn(row) {
    var now = mantel.get(row.key, row.otherwise);
    var known = row.values.some(function (value) { return value[0] === now; });
    return known ? row : setting(row.label, row.key, row.values.concat([[now, now.replace(/,/g, ', ')]]), row.otherwise);
  }

  function items() {
    var ON = [['on', t('On')], ['off', t('Off')]];
    var served = mantel.status && mantel.status.channel || {}, name = mantel.get('name');
    return [
      { label: mantel.paused() ? t('Play') : t('Pause'), act: 'toggle', stays: true },
      mantel.hold ? { label: mantel.held ? t('Play on this screen') : t('Pause this screen only'), show: mantel.hold } : null,
      { label: t('Next picture'), act: 'next', stays: true },
      { label: t('Previous picture'), act: 'previous', stays: true },
      setting(t('Fit'), 'fit', [['blur', t('Blurred edges')], ['contain', t('Whole')], ['cover', t('Fill')]], served.fit || 'blur'),
      setting(t('Two at once'), 'pair', ON, served.pair === false ? 'off' : 'on'),
      setting(t('Slow move'), 'motion', [['kenburns', t('On')], ['off', t('Off')]], 'off'),
      withOwn(setting(t('Transition'), 'transition', [['', t('Standard')], ['cut', t('Cut')], ['500ms', t('Short')], ['3s', t('Long')]],
        '')),
      { label: t('Full screen'), act: 'full' },
      split(setting(t('Clock'), 'clock', ON, 'off')),
      setting(t('Date'), 'date', ON, 'off'),
      withOwn(setting(t('Caption'), 'caption', [['off', t('Off')], ['text', t('Text')], ['date', t('Date')],
        ['date,place', t('Date, place')], ['all', t('All')]], served.captions || 'off')),
      setting(t('Years ago'), 'ago', ON, 'off'),
      setting(t('Keep screen on'), 'awake', ON, 'on'),
      setting(t('Statistics'), 'stats', [['1', t('On')], ['', t('Off')]], ''),
      { label: t('Remote on a phone'), show: qr },
      name ? { label: t('Keep for “#”', name), show: keep } : null
    ].filter(function (row) { return row && !(row.stays && mantel.isLive()); });
  }

  // ---- the rows that open something

  // On the server itself `localhost` means nothing to a phone.
  function qr() {
    mantel.request('GET', 'profiles', null, function (ok, answer) {
      var here = location.href.split('?')[0].replace(/[^\/]*$/, '');
      var link = (answer && answer.address || here) + 'remote' + location.search;
      if (!box) { return; }
      var old = panes.querySelector('.qr');
      if (old) { panes.removeChild(old); }
      var figure = mantel.make('div', panes, 'qr');
      // On a narrow screen it takes the rows' place.
      box.className = 'opened';
      var image = mantel.make('img', figure);
      image.alt = t('Remote on a phone');
      image.onerror = function () { figure.removeChild(image); };
      // Not by its address: an engine may load no second image while a stream runs (see ladder.js).
      mantel.request('GET', 'qr?text=' + encodeURIComponent(link), null, function (ok, _, drawing) {
        image.src = ok ? 'data:image/svg+xml,' + encodeURIComponent(drawing) : 'data:,';
      });
      mantel.make('p', figure, '', link.split('?')[0]);
      figure.onclick = shut;
    });
  }

  function shut() {
    panes.removeChild(panes.querySelector('.qr'));
    box.className = '';
    focus();
  }

  function keep() {
    var name = mantel.get('name');
    mantel.request('POST', 'profiles', { name: name, query: location.search }, function (ok) {
      mantel.toast(ok ? t('Kept: #', 'tv/' + name) : t('It could not be kept'));
    });
  }

  // ---- rows on the screen

  function value(item) {
    var now = mantel.get(item.key, item.otherwise);
    for (var i = 0; i < item.values.length; i++) {
      if (item.values[i][0] === now) { return i; }
    }
    // `stats=yes`, `clock=24`: whatever it is called, it is on.
    return mantel.isOn(item.key, item.otherwise) ? 0 : item.values.length - 1;
  }

  function label(item) {
    return item.values ? item.values[value(item)][1] : '';
  }

  function fill() {
    var column = null;
    rows = items();
    while (list.firstChild) { list.removeChild(list.firstChild); }
    buttons = rows.map(function (item, index) {
      if (!column || item.isSplit) { column = mantel.make('div', list, 'column'); }
      var row = mantel.make('button', column, 'row');
      row.type = 'button';
      row.setAttribute('role', 'menuitem');
      mantel.make('span', row, 'label', item.label);
      if (item.values) { mantel.make('span', row, 'value', label(item)); }
      row.onclick = function () { at = index; choose(1); };
      row.onmousemove = function () { if (at !== index) { at = index; focus(); } };
      return row;
    });
    focus();
  }

  function focus() {
    stay();
    buttons[at].focus();
  }

  // The row of the other column that stands at the same height, or its last one.
  function across() {
    for (var split = 0; !rows[split].isSplit;) { split++; }
    at = at < split ? Math.min(at + split, rows.length - 1) : Math.min(at - split, split - 1);
    focus();
  }

  function change(item, step) {
    var next = (value(item) + step + item.values.length) % item.values.length;
    var wanted = item.values[next][0];
    mantel.set(item.key, wanted === item.otherwise ? '' : wanted);
    buttons[at].lastChild.textContent = label(item);
  }

  function choose(step) {
    var item = rows[at];
    if (item.values) { change(item, step); return stay(); }
    if (item.show) { item.show(); return stay(); }
    mantel.act(item.act);
    if (!item.stays) { return mantel.menu(false); }
    stay();
    if (item.act === 'toggle') { buttons[0].firstChild.textContent = mantel.paused() ? t('Pause') : t('Play'); }
  }

  function stay() {
    clearTimeout(idle);
    idle = setTimeout(function () { mantel.menu(false); }, IDLE_MS);
  }

  // ---- open and closed

  function build() {
    box = mantel.make('div', document.body);
    box.id = 'menu';
    var name = mantel.get('name');
    mantel.make('h2', box, '', name || 'Mantel');
    panes = mantel.make('div', box, 'panes');
    list = mantel.make('div', panes, 'list');
    list.setAttribute('role', 'menu');
    list.setAttribute('aria-label', 'Mantel');
    at = 0;
    fill();
  }

  mantel.menu = function (shown) {
    clearTimeout(idle);
    if (shown === !!box) { return; }
    if (shown) {
      before = document.activeElement;
      build();
    } else {
      document.body.removeChild(box);
      box = null;
      if (before && before.focus) { before.focus(); }
    }
    root.classList[box ? 'add' : 'remove']('menu');
  };

  mantel.overMenu = function (element) {
    if (!box) { return false; }
    if (box.contains(element)) { return true; }
    // A tap beside the menu closes it, and means nothing else.
    setTimeout(function () { mantel.menu(false); }, 0);
    return true;
  };

  // Whether the menu took the key. Media keys go on to the picture.
  mantel.inMenu = function (code) {
    if (!box) { return false; }
    // What was opened in place of the rows closes first.
    if (box.className && window.getComputedStyle(list).display === 'none') {
      if ([38, 40, 37, 39].indexOf(code) < 0) { shut(); }
      return true;
    }
    switch (code) {
      case 38: at = (at + rows.length - 1) % rows.length; focus(); return true;
      case 40: at = (at + 1) % rows.length; focus(); return true;
      case 37: if (rows[at].values) { choose(-1); } else { across(); } return true;
      case 39: if (rows[at].values) { choose(1); } else { across(); } return true;
      case 13: case 32: choose(1); return true;
      case 27: case 461: case 10009: case 403: case 77: case 93: case 10133: case 10135:
        mantel.menu(false); return true;
      default: return false;
    }
  };
}());
