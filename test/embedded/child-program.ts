// A node child of the supervisor: works until it is told to stop or its parent is gone.
import { endWithParent } from '../../src/embedded/end-with-parent.ts';

setInterval(() => {}, 60_000);
endWithParent({ shutdown: async () => {}, graceMs: 1_000 });
