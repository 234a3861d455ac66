import { type ProblemCode, type ProblemDefinition, PROBLEMS } from '@payflow/contracts';

/** Text in HTML, also inside attributes. */
export const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

const page = (title: string, main: string): string => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(title)} · PayFlow</title>
<link rel="stylesheet" href="/docs/style.css">
</head>
<body>
<header><a href="/">PayFlow</a> <nav><a href="/docs">API reference</a> <a href="/docs/problems">Problems</a></nav></header>
<main>
${main}
</main>
</body>
</html>
`;

/** Remedies write code between backticks. */
const prose = (text: string): string => escaped(text).replaceAll(/`([^`]+)`/g, '<code>$1</code>');

const rows = Object.entries(PROBLEMS) as readonly (readonly [ProblemCode, ProblemDefinition])[];

export const problemsPage = (): string =>
  page(
    'Problems',
    `<h1>Problems</h1>
<p>Every refusal is a problem document (RFC 9457, <code>application/problem+json</code>). Its <code>code</code> is one of these
and never changes its meaning; its <code>type</code> is the address of the page below.</p>
<table>
<thead><tr><th>Code</th><th>Status</th><th>What it says</th></tr></thead>
<tbody>
${rows
  .map(
    ([code, { status, title }]) =>
      `<tr><td><a href="/docs/problems/${code}"><code>${code}</code></a></td><td>${status}</td><td>${escaped(title)}</td></tr>`,
  )
  .join('\n')}
</tbody>
</table>`,
  );

export const isProblemCode = (text: string): text is ProblemCode => Object.hasOwn(PROBLEMS, text);

const RETRY: Readonly<Record<number, string>> = {
  408: 'Send the request again.',
  429: 'Repeat the request after the seconds in <code>Retry-After</code>.',
  500: 'Repeat the request with the same <code>Idempotency-Key</code>: it will not take effect twice.',
  503: 'Repeat the request with the same <code>Idempotency-Key</code> after the seconds in <code>Retry-After</code>: it will not take effect twice.',
};

export const problemPage = (code: ProblemCode, gatewayUrl: string): string => {
  const { status, title, remedy }: ProblemDefinition = PROBLEMS[code];
  const address = `${gatewayUrl}/docs/problems/${code}`;
  const example = { type: address, title, status, code, requestId: 'req_01kxyz6w3hf8btq2v9m4n7r5sd', docUrl: address };
  return page(
    code,
    `<h1><code>${code}</code></h1>
<p class="title">${escaped(title)}.</p>
<dl>
<dt>HTTP status</dt><dd>${status}</dd>
<dt>What to do</dt><dd>${prose(remedy)}</dd>
<dt>Repeating it</dt><dd>${RETRY[status] ?? 'The same request will be refused again until what it refers to has changed.'}</dd>
</dl>
<h2>As it is sent</h2>
<pre><code>${escaped(JSON.stringify(example, null, 2))}</code></pre>`,
  );
};

export const indexPage = (links: Readonly<Record<string, string>>): string =>
  page(
    'Payment platform',
    `<h1>PayFlow</h1>
<ul>
${Object.entries(links)
  .map(([name, href]) => `<li><a href="${escaped(href)}">${escaped(name)}</a></li>`)
  .join('\n')}
</ul>`,
  );

/** The reference reads /openapi.json in the browser; its bundle is served from here, so no other host is asked. */
export const referencePage = (bundle: string): string => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>API reference · PayFlow</title>
</head>
<body>
<div id="reference"></div>
<noscript><p>The reference needs JavaScript. The description itself is at <a href="/openapi.json">/openapi.json</a>.</p></noscript>
<script src="${escaped(bundle)}"></script>
<script src="/docs/reference-start.js"></script>
</body>
</html>
`;

/** A file of its own, so that the page's policy need not allow inline scripts. */
export const REFERENCE_START = `Scalar.createApiReference('#reference', {
  url: '/openapi.json',
  withDefaultFonts: false,
  telemetry: false,
  showDeveloperTools: 'never',
  agent: { disabled: true },
  mcp: { disabled: true },
});
`;

export const STYLE = `:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { margin: 0 auto; max-width: 60rem; padding: 1rem; }
header { border-bottom: 1px solid #8886; padding-bottom: .5rem; }
header > a { font-weight: 600; }
nav { display: inline; margin-left: 1rem; }
nav a { margin-right: 1rem; }
a { color: inherit; }
table { border-collapse: collapse; width: 100%; }
th, td { border-bottom: 1px solid #8884; padding: .35rem .75rem .35rem 0; text-align: left; vertical-align: top; }
dt { font-weight: 600; margin-top: .75rem; }
dd { margin: 0; }
pre { background: #8882; border-radius: .25rem; overflow-x: auto; padding: .75rem; }
.title { font-size: 1.25rem; }
`;
