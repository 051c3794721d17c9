/** One API in the list of documents. */
export interface DocumentLink {
  name: string;
  title: string;
}

/** An API that other systems have, on the page of all of them. */
export interface ApiLink extends DocumentLink {
  /** The paths that it answers at, with all below them. */
  mounts: readonly string[];
}

/** What a page of the documentation may do: run and show what this server has, and ask this server. */
export const PAGE_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** The style of all pages, beside Swagger UI's own. */
export const PAGE_STYLE = `body { margin: 0; font: 16px/1.5 system-ui, sans-serif; color: #1b1f24; background: #fff; }
main { max-width: 46rem; margin: 0 auto; padding: 2rem 1rem; }
li { margin: 0.75rem 0; }
nav { padding: 0.5rem 1rem; border-bottom: 1px solid #d0d7de; }
a { color: #0550ae; }
`;

/** Starts Swagger UI with the document that the page names. No document leaves for a validator elsewhere. */
export const PAGE_SCRIPT = `const { url } = document.getElementById('document').dataset;
SwaggerUIBundle({ url, domNode: document.getElementById('document'), deepLinking: true, validatorUrl: null });
`;

/** The page of the whole server: where people go on, and what programs find at which path. */
export function welcomePage(apis: ApiLink[]): string {
  const lines = apis.map(({ name, title, mounts }) => {
    const paths = mounts.map((mount) => `<code>${escaped(mount)}</code>`);
    return `<li><a href="/docs/${name}">${escaped(title)}</a>: ${paths.join(', ')}</li>`;
  });
  return page(
    'Patois',
    '<link rel="stylesheet" href="/docs/assets/page.css">',
    `<main>
<h1>Patois</h1>
<p>A token authority: it issues, verifies and revokes API tokens, in the words of ${apis.length} APIs and in its own.</p>
<ul>
<li><a href="/console">Console</a>: your tokens, and those that you administer</li>
<li><a href="/docs">API documents</a>: to read, to try, and to make clients of</li>
</ul>
<h2>The APIs</h2>
<ul>
${lines.join('\n')}
<li><a href="/docs/patois">Patois</a>: <code>/patois/v1</code>, <code>/oauth2</code>, <code>/verify</code>, <code>/v2</code></li>
</ul>
</main>`,
  );
}

/** The list of the documents. */
export function indexPage(links: DocumentLink[]): string {
  const lines = links.map(
    ({ name, title }) =>
      `<li><a href="/docs/${name}">${escaped(title)}</a> (<a href="${documentPath(name)}">openapi.json</a>)</li>`,
  );
  return page(
    'Patois: API documents',
    '<link rel="stylesheet" href="/docs/assets/page.css">',
    `<nav><a href="/">Patois</a> · <a href="/console">Console</a></nav>
<main>\n<h1>API documents</h1>\n<ul>\n${lines.join('\n')}\n</ul>\n</main>`,
  );
}

/** One document, to read and to try. */
export function documentPage({ name, title }: DocumentLink): string {
  return page(
    title,
    ['swagger-ui.css', 'page.css']
      .map((file) => `<link rel="stylesheet" href="/docs/assets/${file}">`)
      .join('\n'),
    `<nav><a href="/docs">All API documents</a></nav>
<div id="document" data-url="${documentPath(name)}"></div>
<script src="/docs/assets/swagger-ui-bundle.js"></script>
<script src="/docs/assets/page.js"></script>`,
  );
}

function documentPath(name: string): string {
  return `/docs/${name}/openapi.json`;
}

function page(title: string, head: string, body: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(title)}</title>
${head}
</head>
<body>
${body}
</body>
</html>
`;
}

function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}
