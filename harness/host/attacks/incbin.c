/* verdict: does-not-build Has the assembler read a file of the machine into the plugin, to print it later. */
__asm__(".section .rodata\n.incbin \"@ROOT@/Makefile\"\n.previous");
