// Looks at every drawn page: nothing wider than the window, nothing against the policy, nothing
// serious by axe; with SHOTS=folder also a picture of each.
// Use: node look.mjs PAGES [name filter]. Needs puppeteer-core, axe-core and Chromium (CHROMIUM).
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import puppeteer from 'puppeteer-core';
import { serve } from './serve.mjs';

const [pages, filter = '.'] = process.argv.slice(2);
const list = (name, value) => (process.env[name] ?? value).split(',');
const widths = list('WIDTHS', '360,768,1366,1920').map(Number);
const themes = list('THEMES', 'light,dark');
const languages = list('LANGS', 'vi,en');
const shots = process.env.SHOTS;
const axe = fs.readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const HEIGHTS = { 360: 780, 768: 1024, 1366: 768, 1920: 1080 };

const site = await serve(pages);
const browser = await puppeteer.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--hide-scrollbars'],
});
let faults = 0;
let looks = 0;
const fault = (...words) => {
  faults += 1;
  console.log(...words);
};

for (const language of languages) {
  const names = fs.readdirSync(path.join(pages, language)).filter((name) => new RegExp(filter).test(name));
  for (const name of names) {
    for (const theme of themes) {
      for (const width of widths) await look(language, name, theme, width);
    }
  }
}
await browser.close();
site.close();
console.log(`${looks} looks, ${faults} faults`);
process.exit(faults ? 1 : 0);

async function look(language, name, theme, width) {
  const where = `${language}/${name} ${theme} ${width}`;
  const page = await browser.newPage();
  page.on('console', (message) => {
    if (['error', 'warn'].includes(message.type())) fault('CONSOLE', where, message.text());
  });
  page.on('pageerror', (error) => fault('SCRIPT', where, error.message));
  page.on('requestfailed', (request) => fault('REQUEST', where, request.url()));
  await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: theme }]);
  await page.setViewport({ width, height: HEIGHTS[width] ?? 800 });
  await page.goto(`${site.base}/${language}/${name}`);
  // Letters of another width would be looked at otherwise.
  await page.evaluate(() => document.fonts.ready.then(() => {}));
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  if (wide > 0) fault('WIDE', where, wide);
  if (shots) {
    fs.mkdirSync(shots, { recursive: true });
    const file = `${language}-${path.basename(name, '.html')}-${theme}-${width}.png`;
    await page.screenshot({ path: path.join(shots, file), fullPage: true });
  }
  await page.setBypassCSP(true);
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => window.axe.run(document));
  for (const { id, impact, nodes } of violations) fault('AXE', impact, id, where, nodes[0].html.slice(0, 160));
  looks += 1;
  await page.close();
}
