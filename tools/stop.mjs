import { bootstrap } from './bootstrap.mjs';

await bootstrap(import.meta.url, 'stack/commands.ts', ['stop', ...process.argv.slice(2)], {
  install: false,
});
