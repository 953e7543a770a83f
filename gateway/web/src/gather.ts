/**
 * Gives what came in within `wait` to `work` in one call, one call at a time.
 *
 * What comes in meanwhile waits for the next call: started at once, it would cut off the one that runs, and in a
 * steady flow none would ever end. A call that takes longer than `patience` is no longer waited for.
 */
export class Gather<T> {
  private waiting = new Map<string, T>();
  private timer: ReturnType<typeof setTimeout> | undefined;
  private isWorking = false;
  private isStopped = false;

  constructor(
    private readonly work: (items: T[]) => Promise<unknown>,
    private readonly wait = 400,
    private readonly patience = 60_000,
  ) {}

  /** Takes an item in, unless an equal one waits already. */
  add(item: T) {
    this.waiting.set(JSON.stringify(item), item);
    this.arm();
  }

  stop() {
    this.isStopped = true;
    clearTimeout(this.timer);
  }

  private arm() {
    if (this.isStopped || this.isWorking || this.waiting.size === 0) return;
    this.timer ??= setTimeout(() => void this.run(), this.wait);
  }

  private async run() {
    const items = [...this.waiting.values()];
    this.waiting.clear();
    this.timer = undefined;
    this.isWorking = true;
    let outOfPatience: ReturnType<typeof setTimeout> | undefined;
    const patience = new Promise((resolve) => {
      outOfPatience = setTimeout(resolve, this.patience);
    });
    await Promise.race([this.work(items), patience]);
    clearTimeout(outOfPatience);
    this.isWorking = false;
    this.arm();
  }
}
