import colors from 'picocolors';

/** Tells what happens, for people who would rather watch than read. */
export const narrator = {
  scenario(number: number, title: string, why: string): void {
    console.log(`\n${colors.bold(colors.cyan(`${number}. ${title}`))}\n   ${colors.dim(why)}`);
  },
  /** One step and what it showed. */
  step(what: string, shown: unknown): void {
    console.log(`   ${colors.green('→')} ${what}\n     ${colors.yellow(oneLine(shown))}`);
  },
  end(scenarios: number): void {
    console.log(`\n${colors.bold(colors.green(`All ${scenarios} scenarios showed what they should.`))}`);
  },
};

const oneLine = (shown: unknown): string => (typeof shown === 'string' ? shown : JSON.stringify(shown));
