import type { DemoFile } from '../stack/state.ts';
import { runLoad } from './load.ts';
import type { Measured } from './report.ts';
import type { Bench, Section } from './section.ts';

export interface Sizes {
  readonly seconds: number;
  readonly warmUpSeconds: number;
  readonly scale: number;
}

/** Measures the sections one after the other on a running stack. */
export const measure = async (
  sections: readonly Section[],
  stack: DemoFile,
  sizes: Sizes,
  progress: (line: string) => void,
): Promise<readonly Measured[]> => {
  const bench: Bench = {
    stack,
    seconds: sizes.seconds,
    scale: sizes.scale,
    load: (plan) => runLoad({ ...plan, seconds: sizes.seconds, warmUpSeconds: sizes.warmUpSeconds }),
    progress,
  };
  const measured: Measured[] = [];
  for (const section of sections) {
    progress(`${section.title}: ${section.about}`);
    measured.push({ section, result: await section.run(bench) });
  }
  return measured;
};
