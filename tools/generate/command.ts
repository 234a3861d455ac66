import { build } from '../stack/build.ts';
import { stackPaths } from '../stack/paths.ts';

/** `npm run generate`: the documents are made from the built contracts. */
export const main = async (): Promise<void> => {
  await build(stackPaths(process.env).logs);
  await import('./main.ts');
};
