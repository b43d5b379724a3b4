// The server answers and has nothing to show: its own sentence, and what can be done about it. Goes by
// itself once there are photos. Loaded by viewer/around/apart.js.
(function () {
  'use strict';

  var mantel = window.mantel, root = mantel.root, t = mantel.t;
  var box = null, buttons = [], shown = '';

  // A stream that plays is no problem, whatever a later question was answered with.
  function sentence() {
    var state = root.getAttribute('data-state');
    return mantel.problem && state !== 'playing' && state !== 'paused' ? mantel.problem.sentence : '';
  }

  function button(label, act) {
    var element = mantel.make('button', box, '', label);
    element.type = 'button';
    element.onclick = act;
    buttons.push(element);
  }

  function close() {
    if (box) { document.body.removeChild(box); }
    box = null;
    buttons = [];
  }

  function write() {
    var now = sentence();
    if (now === shown) { return; }
    shown = now;
    close();
    root.classList[now ? 'add' : 'remove']('problem');
    if (!now) { return; }
    box = mantel.make('div', document.body);
    box.id = 'problem';
    box.setAttribute('role', 'alert');
    mantel.make('p', box, '', now.charAt(0).toUpperCase() + now.slice(1));
    // The settings page has its fields beside its preview.
    if (window.top !== window) { return; }
    if (mantel.problem.isDoor) {
      button(t('Try again'), function () { location.reload(); });
    } else {
      button(t('Show all photos'), mantel.showAll);
      button(t('Settings'), function () { location.href = 'settings' + location.search; });
    }
    buttons[0].focus();
  }

  // Whether it took the key: arrows, OK.
  mantel.inProblem = function (code) {
    if (!buttons.length || code < 37 && code !== 13 && code !== 32 || code > 40) { return false; }
    var at = buttons.indexOf(document.activeElement);
    if (code === 13 || code === 32) {
      buttons[Math.max(0, at)].click();
    } else {
      buttons[(at + (code < 39 ? buttons.length - 1 : 1)) % buttons.length].focus();
    }
    return true;
  };

  mantel.on('mantel-problem mantel-state', write);
  write();
}());
