// Tells that the page can be asked for something: a line on the first visit, and a quiet bar on a mouse move
// or a tap, which goes by itself. Loaded by viewer/around/apart.js.
(function () {
  'use strict';

  var mantel = window.mantel, root = mantel.root, t = mantel.t;
  var SHOWN_MS = 3000, SEEN = 'mantel-seen';
  // Each button's shape in a square of 24.
  var SHAPES = {
    previous: 'M6 5h3v14H6zM20 5v14L10 12z', play: 'M7 4l14 8-14 8z', pause: 'M6 5h4v14H6zM14 5h4v14h-4z',
    next: 'M15 5h3v14h-3zM4 5l10 7-10 7z', menu: 'M3 5h18v3H3zM3 10.5h18v3H3zM3 16h18v3H3z',
    full: 'M3 3h7v3H6v4H3zM14 3h7v7h-3V6h-4zM3 14h3v4h4v3H3zM18 14h3v7h-7v-3h4z'
  };

  var bar = mantel.make('div', document.body), going, toggle;
  bar.id = 'bar';
  bar.setAttribute('role', 'toolbar');
  bar.setAttribute('aria-label', 'Mantel');

  // Asked for anew each time: the words of a language come late.
  function labels() {
    return {
      previous: t('Previous'), play: t('Play'), pause: t('Pause'), next: t('Next'), menu: t('Menu'), full: t('Full screen')
    };
  }

  function draw(element, shape) {
    var space = 'http://www.w3.org/2000/svg', svg = document.createElementNS(space, 'svg');
    var path = document.createElementNS(space, 'path');
    svg.setAttribute('viewBox', '0 0 24 24');
    path.setAttribute('d', SHAPES[shape]);
    svg.appendChild(path);
    element.innerHTML = '';
    element.appendChild(svg);
    element.setAttribute('aria-label', labels()[shape]);
  }

  function button(name, act) {
    var element = mantel.make('button', bar);
    element.type = 'button';
    draw(element, name);
    element.onclick = function () {
      // A key that is pressed later is the picture's.
      element.blur();
      act();
      show();
    };
    return element;
  }

  var ofPhotos = [button('previous', function () { mantel.act('previous'); }),
    toggle = button('pause', function () { mantel.act('toggle'); }),
    button('next', function () { mantel.act('next'); })];
  button('menu', function () { hide(); mantel.act('menu'); });
  button('full', function () { mantel.act('full'); });

  // On the page of a live channel there is nothing to go to, or to stop at.
  function write() {
    draw(toggle, mantel.paused() ? 'play' : 'pause');
    ofPhotos.forEach(function (element) { element.style.display = mantel.isLive() ? 'none' : ''; });
  }

  function hide() { clearTimeout(going); bar.className = ''; }

  function show() {
    clearTimeout(going);
    if (root.classList.contains('menu') || root.classList.contains('problem')) { return hide(); }
    if (bar.className !== 'on') { write(); bar.className = 'on'; }
    going = setTimeout(hide, SHOWN_MS);
  }

  // Some engines send a move when a page appears under a pointer that rests.
  var x = null, y = null;
  mantel.on('mousemove', function (event) {
    var moved = x !== null && (x !== event.clientX || y !== event.clientY);
    x = event.clientX;
    y = event.clientY;
    if (moved) { show(); }
  });
  mantel.on('touchend', show);
  mantel.on('mantel-state mantel-status', function () { if (bar.className) { write(); } });

  // ---- the first visit

  function hint() {
    var shown = root.hasAttribute('data-slide') || root.hasAttribute('data-shown');
    if (!shown || !mantel.status || document.hidden || root.classList.contains('menu')) { return void setTimeout(hint, 1000); }
    try {
      if (localStorage.getItem(SEEN)) { return; }
      localStorage.setItem(SEEN, '1');
    } catch (e) { /* Nothing is kept here: better none than each time. */ return; }
    var line = mantel.make('p', document.body, 'on', 'ontouchstart' in window ? t('tap  ·  swipe down for the menu') :
      t('↓ menu') + (mantel.isLive() ? '' : '  ·  ' + t('← → photos')));
    line.id = 'hint';
    setTimeout(function () { line.className = ''; }, SHOWN_MS);
    setTimeout(function () { document.body.removeChild(line); }, SHOWN_MS + 1500);
  }
  hint();
}());
