"""The look of what Textual brings along (palette, toasts, lists), in the roles of our themes."""

from __future__ import annotations

from typing import Final

CSS: Final = """
CommandPalette { background: transparent; }
CommandPalette > Vertical {
    margin-top: 2; width: 76; max-width: 96%; background: $raised;
}
CommandPalette:ansi { background: transparent; }
CommandPalette #--input { border: none; border-bottom: solid $line; background: $raised; padding: 0 1; }
CommandPalette #--input.--list-visible { border-bottom: solid $line; }
CommandPalette #--results { background: $raised; }
CommandPalette SearchIcon { display: none; }
CommandPalette CommandInput, CommandPalette CommandInput:focus { border: none; padding: 0 1; height: 1; }
CommandPalette CommandList, CommandPalette CommandList:focus { border: none; }
CommandPalette CommandList > .option-list--option { text-style: none; padding: 0 2; }
CommandPalette > .command-palette--help-text { color: $muted; text-style: none; }
CommandPalette > .command-palette--highlight { color: $accent; text-style: bold; }

Toast { background: $raised; padding: 0 1; margin-top: 0; max-width: 80%; color: $text; }
Toast.-information { border-left: outer $info; }
Toast.-warning { border-left: outer $warn; }
Toast.-error { border-left: outer $bad; }
ToastRack { margin-bottom: 2; }

OptionList, OptionList:focus {
    scrollbar-size-vertical: 1; scrollbar-background: $raised; scrollbar-background-hover: $raised;
    scrollbar-background-active: $raised; background-tint: transparent 0%;
}
"""
