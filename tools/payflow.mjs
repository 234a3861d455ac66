#!/usr/bin/env node
import { bootstrap } from './bootstrap.mjs';

await bootstrap(import.meta.url, 'cli/main.ts', process.argv.slice(2), { install: false });
