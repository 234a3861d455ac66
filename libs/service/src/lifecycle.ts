/** Whether the process takes work. It starts, serves, and drains once. */
export class Lifecycle {
  private state: 'starting' | 'serving' | 'draining' = 'starting';

  get isServing(): boolean {
    return this.state === 'serving';
  }

  get isDraining(): boolean {
    return this.state === 'draining';
  }

  startServing(): void {
    if (this.state === 'starting') this.state = 'serving';
  }

  startDraining(): void {
    this.state = 'draining';
  }
}
