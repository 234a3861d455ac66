import { bootstrap } from './bootstrap.mjs';

await bootstrap(import.meta.url, 'bench/main.ts');
