import { bootstrap } from '../bootstrap.mjs';

await bootstrap(import.meta.url, 'test/main.ts');
