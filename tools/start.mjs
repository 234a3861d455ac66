import { bootstrap } from './bootstrap.mjs';

await bootstrap(import.meta.url, 'stack/commands.ts', ['start', ...process.argv.slice(2)]);
