// The end of the words of a language (server/words/), by which the viewer page learns that they are there. Plain ES5.
if (window.mantel) {
  (function (mantel) {
    'use strict';

    mantel.root.lang = mantelWords.lang;
    mantel.root.dir = mantelWords.dir;
    mantel.by('lost').textContent = mantel.t('reconnecting');
    mantel.say('words');
  }(window.mantel));
}
