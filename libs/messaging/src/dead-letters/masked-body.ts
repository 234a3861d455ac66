import { maskCardNumbers } from '@payflow/service';

const CHARACTERS_SHOWN = 10_000;
/** Looked at beyond what is shown, so that what is masked was seen whole. */
const CHARACTERS_READ = 20_000;
const MASKED = '[masked]';

/** Members whose value nobody needs to see to find out why a message was refused. */
const SECRET_NAME =
  '(?:password|passphrase|secret|authorization|cookie|credential|api_?key|access_?token|refresh_?token|client_?secret|' +
  'card_?number|cvc|cvv|security_?code|recovery_?code|totp|otp)';
/** `"clientSecret": "…"`, as JSON has it; a text that is cut off in the middle ends there. Names are short, so it looks no further. */
const SECRET_MEMBER = new RegExp(
  `("[^"\\\\]{0,40}?${SECRET_NAME}[^"\\\\]{0,40}"\\s*:\\s*)("(?:[^"\\\\]|\\\\.)*(?:"|$)|\\[[^\\]]*(?:\\]|$)|\\{[^}]*(?:\\}|$)|[^\\s,}\\]"]+)`,
  'gi',
);
/** `client_secret=…`, as forms and log lines have it. */
const SECRET_FIELD = new RegExp(`\\b([\\w-]{0,40}?${SECRET_NAME}[\\w-]{0,40}=)[^&\\s",}]+`, 'gi');
const JWT = /\beyJ[\w-]{10,}\.[\w-]+(?:\.[\w-]*)?/g;
const BEARER = /\b(Bearer|Basic)\s+[\w.~+/=-]{8,}/gi;
const KEY = /\b((?:sk|rk|pk)_(?:test|live)_|whsec_)[\w+/=-]{8,}/g;
const MAIL = /([\w.%+-])[\w.%+-]{0,63}@([\w-]{1,63}(?:\.[\w-]{1,63})+)/g;
/** E.164 with its plus sign: without one a number is as likely an amount. */
const PHONE = /\+\d{6,13}(\d{2})(?!\d)/g;

/** What of a message people may see: enough to find its fault, and nothing that could be used or that names a person. */
export const maskedBody = (value: Buffer | null): string =>
  value === null ? '' : maskedText(plain(value.toString('utf8', 0, CHARACTERS_READ * 4).slice(0, CHARACTERS_READ)));

export const maskedText = (text: string): string =>
  maskCardNumbers(text)
    .replace(SECRET_MEMBER, `$1"${MASKED}"`)
    .replace(SECRET_FIELD, `$1${MASKED}`)
    .replace(JWT, MASKED)
    .replace(BEARER, `$1 ${MASKED}`)
    .replace(KEY, `$1${MASKED}`)
    .replace(MAIL, '$1…@$2')
    .replace(PHONE, '+…$1')
    .slice(0, CHARACTERS_SHOWN);

/** JSON may write any character as an escape; what is hidden so is looked at too. */
const plain = (text: string): string =>
  text.replaceAll(/\\u00([2-7][0-9a-f])/gi, (written, hex: string) => {
    const character = String.fromCharCode(Number.parseInt(hex, 16));
    // These two mean something else unescaped.
    return character === '"' || character === '\\' ? written : character;
  });
