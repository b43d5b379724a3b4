// "Not that one", by a key: h hides the photo that is on, and once more brings it back; v makes it a favourite, and once more
// a photo like others. Of two photos the next key says which. Loaded by viewer/around/apart.js.
(function () {
  'use strict';

  var mantel = window.mantel, t = mantel.t, UNDO_MS = 10000, CHOICE_MS = 5000;
  // What was hidden last, and which of two is asked for.
  var hidden = null, asked = null;

  function send(name, photo, word, done) {
    var body = { command: name, photo: photo, by: mantel.get('name') || undefined };
    mantel.request('POST', 'control' + mantel.choice(), body, function (ok, channel, text) {
      var line = (text || '').trim();
      mantel.toast(ok ? word : line && line.length < 200 ? line : t('No answer from the server'));
      if (ok && done) { done(); }
      mantel.ask();
    });
  }

  function forget() { hidden = asked = null; }

  function mark(name, photo) {
    if (name === 'h') {
      send('hide', photo.photo, t('Hidden  ·  h brings it back'), function () {
        hidden = photo.photo;
        setTimeout(function () { if (hidden === photo.photo) { forget(); } }, UNDO_MS);
      });
    } else if (photo.favourite) {
      send('unfavourite', photo.photo, t('No favourite'));
    } else {
      send('favourite', photo.photo, t('Favourite'));
    }
  }

  function bringBack() {
    var photo = hidden;
    forget();
    send('unhide', photo, t('Back among the photos'), function () {
      // It has a place again once the photos are sorted.
      setTimeout(function () { send('show', photo, t('Back among the photos')); }, 1000);
    });
  }

  // The slide that is on: its facts may be a moment old.
  function current(name) {
    mantel.request('GET', 'status' + mantel.shape(), null, function (ok, status) {
      var slide = ok && status && status.channel.slide;
      if (!slide || !slide.photo || status.channel.interrupted) { return mantel.toast(t('No answer from the server')); }
      if (!slide.beside) { return mark(name, slide); }
      asked = { name: name, photos: [slide, slide.beside], until: new Date().getTime() + CHOICE_MS };
      mantel.toast(t('Which one?') + '  1  ·  2');
    });
  }

  mantel.on('keydown', function (event) {
    var key = (event.key || '').toLowerCase(), now = new Date().getTime();
    if (event.ctrlKey || event.altKey || event.metaKey || event.repeat || event.defaultPrevented) { return; }
    if (mantel.isLive() || mantel.held) { return; }
    if (asked && now < asked.until && (key === '1' || key === '2')) {
      var wish = asked;
      asked = null;
      mark(wish.name, wish.photos[Number(key) - 1]);
    } else if (key === 'h' && hidden) {
      bringBack();
    } else if (key === 'h' || key === 'v') {
      current(key);
    } else {
      return;
    }
    event.preventDefault();
  });
}());
