import { createStore } from "@app/hooks/store";

/** Whether the server no longer knows who asks. Any answer it gives says otherwise. */
export const sessionExpired = createStore(false);
