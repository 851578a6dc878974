// The frame of a template's preview is filled at once; without scripts a button does it.
document.getElementById("render").submit();
