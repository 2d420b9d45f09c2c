/** Runs every task, at most `width` at a time, in order; begins none after `isOver` says so. */
export async function runPool(
  tasks: readonly (() => Promise<void>)[],
  width: number,
  isOver: () => boolean,
): Promise<void> {
  let next = 0;
  const worker = async () => {
    while (next < tasks.length && !isOver()) {
      const task = tasks[next];
      next += 1;
      await task?.();
    }
  };
  await Promise.all(Array.from({ length: Math.min(width, tasks.length) }, worker));
}
