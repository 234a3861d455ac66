/** What is closed after everything else has stopped: pools that shutdown hooks still use. In reverse order of opening. */
export class Closing {
  private readonly actions: (() => Promise<void> | void)[] = [];

  last(action: () => Promise<void> | void): void {
    this.actions.push(action);
  }

  async run(): Promise<void> {
    for (let action = this.actions.pop(); action !== undefined; action = this.actions.pop()) await action();
  }
}
