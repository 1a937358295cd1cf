// The keys that move the cursor.

import type { State } from "./state.svelte";

/** Elements that have a use of their own for these keys. */
const TAKEN = "input, select, textarea, [role=tab], [contenteditable]";

/** Moves the cursor; returns whether the key was one of ours. Letters go forward, with Shift back. */
export function press(event: KeyboardEvent, state: State): boolean {
  if (event.altKey || event.ctrlKey || event.metaKey) return false;
  if (event.target instanceof Element && event.target.closest(TAKEN)) return false;
  const by = event.shiftKey ? -1 : 1;
  const far = event.shiftKey ? 10 : 1;
  const { window, step, layer, unit } = state;
  const moves: Record<string, () => void> = {
    ArrowLeft: () => state.move({ step: step - far }),
    ArrowRight: () => state.move({ step: step + far }),
    Home: () => state.move({ step: 0 }),
    End: () => state.move({ step: state.steps - 1 }),
    w: () => state.move({ window: window + by }),
    l: () => state.move({ layer: layer + by }),
    u: () => state.move({ unit: unit + by }),
  };
  const move = moves[event.key.length === 1 ? event.key.toLowerCase() : event.key];
  if (!move) return false;
  move();
  return true;
}
