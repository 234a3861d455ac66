import { describe, expect, it } from '@jest/globals';

import { parseMultipartBody } from './multipart-body.js';

const parse = async (form: FormData): Promise<unknown> => {
  const encoded = new Response(form);
  const contentType = encoded.headers.get('content-type') ?? '';
  return await parseMultipartBody(new Uint8Array(await encoded.arrayBuffer()), contentType);
};
const formOf = (...fields: readonly (readonly [string, string])[]): FormData => {
  const form = new FormData();
  for (const [name, value] of fields) form.append(name, value);
  return form;
};
const refused = expect.objectContaining({ code: 'validation_failed' });

describe('a multipart form', () => {
  it('is read as fields of text', async () => {
    const form = formOf(['username', 'bob'], ['password', 'sécret 123\r\n--x'], ['empty', '']);
    expect(await parse(form)).toEqual({ username: 'bob', password: 'sécret 123\r\n--x', empty: '' });
  });

  it('is read as curl writes it', async () => {
    const body = Buffer.from(
      '--------------------------abc\r\nContent-Disposition: form-data; name="amount"\r\n\r\n50.0\r\n--------------------------abc--\r\n',
    );
    const contentType = 'multipart/form-data; boundary=------------------------abc';
    expect(await parseMultipartBody(body, contentType)).toEqual({ amount: '50.0' });
  });

  it('is refused with a field twice, a NUL or __proto__', async () => {
    await expect(parse(formOf(['a', '1'], ['a', '2']))).rejects.toThrow(refused);
    await expect(parse(formOf(['a', '\u0000']))).rejects.toThrow(refused);
    await expect(parse(formOf(['__proto__', '1']))).rejects.toThrow(refused);
  });

  it('is refused with a file', async () => {
    const form = new FormData();
    form.append('username', new Blob(['bob']), 'bob.txt');
    await expect(parse(form)).rejects.toMatchObject({
      errors: [{ pointer: '/username', code: 'file_not_allowed' }],
    });
  });

  it('is refused with more fields than any form has', async () => {
    const many = Array.from({ length: 101 }, (_, index) => [`f${index}`, ''] as const);
    await expect(parse(formOf(...many))).rejects.toThrow(refused);
  });

  it.each([
    ['no boundary', 'multipart/form-data', 'x'],
    ['another boundary', 'multipart/form-data; boundary=b', '--a\r\n\r\n--a--'],
    ['no end', 'multipart/form-data; boundary=b', '--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n1'],
    ['a part without a name', 'multipart/form-data; boundary=b', '--b\r\n\r\n1\r\n--b--\r\n'],
    ['nothing', 'multipart/form-data; boundary=b', ''],
  ])('is refused with %s', async (_, contentType, body) => {
    await expect(parseMultipartBody(Buffer.from(body), contentType)).rejects.toThrow(refused);
  });

  it('is refused when it is not UTF-8', async () => {
    const head = '--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n';
    const body = Buffer.concat([Buffer.from(head), Buffer.from([0xff]), Buffer.from('\r\n--b--\r\n')]);
    await expect(parseMultipartBody(body, 'multipart/form-data; boundary=b')).rejects.toThrow(refused);
  });
});
