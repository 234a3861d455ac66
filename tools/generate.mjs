import { bootstrap } from './bootstrap.mjs';

await bootstrap(import.meta.url, 'generate/command.ts');
