import { bootstrap } from './bootstrap.mjs';

await bootstrap(import.meta.url, 'audit/command.ts');
