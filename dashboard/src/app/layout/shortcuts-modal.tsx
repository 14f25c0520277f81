import { Modal, ModalBody, ModalHeader } from "@patternfly/react-core";
import { Table, Tbody, Td, Tr } from "@patternfly/react-table";

import { PLACES } from "@app/hooks/shortcuts";

const KEYS: readonly { keys: readonly string[]; what: string }[] = [
  { keys: ["/"], what: "Search for a guid, namespace, lab or class" },
  ...PLACES.map(({ key, name }) => ({ keys: ["g", key], what: `Go to ${name}` })),
  { keys: ["?"], what: "Show these shortcuts" },
  { keys: ["Esc"], what: "Close what is open" },
];

export function ShortcutsModal({ isOpen, onClose }: { isOpen: boolean; onClose: () => void }) {
  return (
    <Modal variant="small" isOpen={isOpen} onClose={onClose} aria-labelledby="shortcuts-title">
      <ModalHeader title="Keyboard shortcuts" labelId="shortcuts-title" />
      <ModalBody>
        <Table aria-label="Keyboard shortcuts" variant="compact" borders={false}>
          <Tbody>
            {KEYS.map(({ keys, what }) => (
              <Tr key={what}>
                <Td width={20}>
                  {keys.map((key) => (
                    <kbd key={key} className="sg-key">
                      {key}
                    </kbd>
                  ))}
                </Td>
                <Td>{what}</Td>
              </Tr>
            ))}
          </Tbody>
        </Table>
      </ModalBody>
    </Modal>
  );
}
