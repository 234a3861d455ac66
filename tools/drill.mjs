import { bootstrap } from './bootstrap.mjs';

await bootstrap(import.meta.url, 'drill/main.ts');
