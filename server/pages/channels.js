// The channels with their pictures. One picture is fetched at a time, since browsers hold few connections to a server;
// none while nobody looks, so that no camera runs for a hidden page.
(function () {
  'use strict';
  var all = document.getElementById('all');
  var cards = {};
  var names = [];
  var turn = 0;

  // The words of the page's language; what they don't have is in English, and # is filled in.
  function t(text, fill) {
    return String(window.mantelWords && mantelWords[text] || text).replace('#', function () { return fill; });
  }

  function made(kind, name, parent) {
    var element = document.createElement(kind);
    element.className = name;
    parent.appendChild(element);
    return element;
  }

  function card(row) {
    var box = made('div', 'channel', all);
    var link = made('a', '', box);
    link.href = row.page;
    var picture = made('img', '', made('div', 'picture', link));
    picture.alt = '';
    var words = made('div', 'words', link);
    made('span', 'name', words).textContent = row.name;
    return { box: box, picture: picture, told: made('span', 'small', words), screens: made('span', 'small on', words), trouble: made('span', 'small bad', words) };
  }

  function span(millis) {
    var seconds = Math.round(millis / 1000);
    if (seconds < 90) {
      return t('# s', seconds);
    }
    return seconds < 5400 ? t('# min', Math.round(seconds / 60)) : t('# h', Math.round(seconds / 3600));
  }

  function told(row) {
    var parts = [row.source];
    var live = row.live;
    if (live && live.size) {
      parts.push(live.size.replace('x', ' × '));
    }
    if (live && live.age_millis !== null) {
      parts.push(live.age_millis < 3000 ? t('live') : t('# old', span(live.age_millis)));
    } else if (live) {
      parts.push(t('no picture yet'));
    }
    if (row.age_at_viewers_millis !== undefined && live.age_millis < 3000) {
      parts.push(t('# ms at viewers', row.age_at_viewers_millis));
    }
    parts.push(row.viewers === 1 ? t('1 viewer') : t('# viewers', row.viewers));
    return parts.join(' · ');
  }

  // Whose screens a channel has, and until when at least.
  function screens(row) {
    var part = row.interrupted || row.interrupts;
    if (!part) {
      return '';
    }
    var until = new Date(part.until_millis).toLocaleTimeString();
    return [row.interrupts ? t('on the screens of #', part.channel) : t('# has its screens', part.by), t('until #', until)].join(' · ');
  }

  function show(rows) {
    var seen = {};
    names = [];
    for (var i = 0; i < rows.length; i += 1) {
      var row = rows[i];
      var known = cards[row.name] || card(row);
      cards[row.name] = known;
      seen[row.name] = true;
      names.push(row.name);
      known.snapshot = row.snapshot;
      known.told.textContent = told(row);
      known.screens.textContent = screens(row);
      known.trouble.textContent = (row.live && row.live.trouble) || '';
    }
    for (var name in cards) {
      if (!seen[name]) {
        all.removeChild(cards[name].box);
        delete cards[name];
      }
    }
  }

  function ask() {
    if (document.hidden) {
      return;
    }
    var request = new XMLHttpRequest();
    request.open('GET', 'channels?format=json');
    request.onload = function () {
      if (request.status === 200) {
        show(JSON.parse(request.responseText));
      }
    };
    request.send();
  }

  // The next channel's picture, once the one before has come or failed.
  function look() {
    var known = names.length && !document.hidden && cards[names[turn % names.length]];
    turn += 1;
    if (!known) {
      setTimeout(look, 300);
      return;
    }
    var next = new Image();
    next.onload = function () {
      known.picture.src = next.src;
      setTimeout(look, Math.max(100, 1000 / names.length));
    };
    next.onerror = function () {
      setTimeout(look, 1000);
    };
    next.src = known.snapshot + '?size=480x270&fit=contain&t=' + Date.now();
  }

  ask();
  setInterval(ask, 2000);
  look();
}());
