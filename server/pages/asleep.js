// The page of a screen that sleeps: dark, without a picture, until it is to wake. A touch or a key wakes it. ES5, for the
// tablet on the wall.
//
// The viewer is gone meanwhile, and with it all that it held; so is what kept the screen on, and a panel may rest.
(function () {
  'use strict';
  var WAIT_MS = 70000, RETRY_MS = 5000, ONCE_MS = 500, REPORT_MS = 60000;
  var style = document.documentElement.style, version = '', timer;
  var found = /[?&]name=([^&]*)/.exec(location.search), name = found ? found[1] : '';
  var id = 'asleep' + Math.random().toString(36).slice(2, 10);
  style.background = '#000';
  style.cursor = 'none';
  style.height = '100%';

  function wake() { location.replace('./' + location.search); }

  function later(pause) {
    clearTimeout(timer);
    timer = setTimeout(ask, pause);
  }

  function ask() {
    var call = new XMLHttpRequest();
    call.onreadystatechange = function () {
      if (call.readyState !== 4) { return; }
      var answer = null;
      try { answer = call.status === 200 && JSON.parse(call.responseText); } catch (e) { answer = null; }
      later(answer ? ONCE_MS : RETRY_MS);
      if (!answer) { return; }
      version = answer.version;
      if (!answer.asleep) { wake(); }
    };
    call.open('GET', 'profiles/' + name + '?wait=1&not=' + version, true);
    call.timeout = WAIT_MS;
    call.send();
  }

  function post(path, body) {
    var call = new XMLHttpRequest();
    call.open('POST', path, true);
    call.setRequestHeader('Content-Type', 'application/json');
    call.send(JSON.stringify(body));
  }

  function touched() { post('control', { command: 'wake', screen: decodeURIComponent(name) }); }

  function report() {
    post('report', { id: id, name: decodeURIComponent(name), state: 'asleep', width: screen.width, height: screen.height });
    setTimeout(report, REPORT_MS);
  }

  if (!name) { wake(); return; }
  ['keydown', 'mousedown', 'touchstart'].forEach(function (kind) { document.addEventListener(kind, touched, false); });
  document.documentElement.setAttribute('data-state', 'asleep');
  ask();
  report();
}());
