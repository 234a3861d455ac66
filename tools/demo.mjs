import { bootstrap } from './bootstrap.mjs';

await bootstrap(import.meta.url, 'demo/main.ts');
