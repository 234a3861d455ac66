import { bootstrap } from './bootstrap.mjs';

await bootstrap(import.meta.url, 'check/main.ts');
