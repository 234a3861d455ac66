import { describe, expect, it } from '@jest/globals';
import { PROBLEMS } from '@payflow/contracts';

import { escaped, isProblemCode, problemPage, problemsPage } from './pages.js';

describe('the pages of the problems', () => {
  it('are one for each code, and the list names them all', () => {
    const list = problemsPage();
    for (const code of Object.keys(PROBLEMS)) {
      if (!isProblemCode(code)) throw new Error(`${code} has no page`);
      expect(list).toContain(`href="/docs/problems/${code}"`);
      const page = problemPage(code, 'http://gateway');
      expect(page).toContain(`<h1><code>${code}</code></h1>`);
      expect(page).toContain(`<dd>${PROBLEMS[code].status}</dd>`);
    }
  });

  it('are not made for what is no code', () => {
    for (const text of ['toString', '__proto__', 'nothing', '']) expect(isProblemCode(text)).toBe(false);
  });

  it('write text as text', () => {
    expect(escaped('<script>"&')).toBe('&lt;script&gt;&quot;&amp;');
  });
});
