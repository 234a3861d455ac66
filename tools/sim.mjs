import { bootstrap } from './bootstrap.mjs';

await bootstrap(import.meta.url, 'sim/command.ts');
