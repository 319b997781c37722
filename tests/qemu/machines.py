"""How tests start a machine in QEMU: emulated (TCG), an old PC without privileges, stopped by a port."""

QEMU = "qemu-system-x86_64"


def command_line(kernel, words, *more, memory=128, initrd=None, firmware="qboot.rom"):
    """The first serial port is stdin and stdout; `firmware` is None where its own is wanted, as for a VGA card."""
    return [QEMU, "-M", "pc", *(["-bios", firmware] if firmware else []), "-accel", "tcg", "-m", str(memory),
            "-nodefaults", "-display", "none", "-no-reboot", "-serial", "stdio",
            "-device", "isa-debug-exit,iobase=0xf4,iosize=4", *more,
            "-kernel", str(kernel), *(["-initrd", str(initrd)] if initrd else []), "-append", words]


def card(number, kind, options, name="n0"):
    """A network card, with the number as the end of its address, on a netdev of that kind."""
    return ["-netdev", f"{kind},id={name},{options}",
            "-device", f"rtl8139,netdev={name},mac=52:54:00:00:00:{number:02x}"]
