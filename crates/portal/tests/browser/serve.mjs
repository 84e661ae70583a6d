// Serves the drawn pages and the static files with the portal's policy, for a browser on loopback.
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const STATIC = fileURLToPath(new URL('../../static', import.meta.url));
const TYPES = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css',
  '.js': 'text/javascript',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
};
export const POLICY =
  "default-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'; object-src 'none'";

/** Serves `pages`; posts are noted and answered late, as a busy server would. */
export async function serve(pages) {
  const posts = [];
  const bodies = [];
  const server = http.createServer((request, response) => {
    const { pathname } = new URL(request.url, 'http://page');
    if (request.method === 'POST') {
      let body = '';
      request.on('data', (part) => (body += part));
      request.on('end', () => bodies.push(body));
      posts.push(pathname);
      setTimeout(() => response.writeHead(204).end(), 700);
      return;
    }
    const inside = pathname.startsWith('/static/');
    const file = path.join(inside ? STATIC : pages, inside ? pathname.slice(8) : pathname);
    const found = fs.existsSync(file) && fs.statSync(file).isFile();
    if (inside && !found) {
      response.writeHead(404).end();
      return;
    }
    const type = found ? TYPES[path.extname(file)] ?? 'text/plain' : 'text/html';
    response.writeHead(200, { 'content-type': type, 'content-security-policy': POLICY });
    response.end(found ? fs.readFileSync(file) : '<p>next page');
  });
  await new Promise((ready) => server.listen(0, '127.0.0.1', ready));
  return { base: `http://127.0.0.1:${server.address().port}`, posts, bodies, close: () => server.close() };
}
