OF_THE_KERNEL=set(); UNTOUCHED=set(); LEFT=set(); ALL={}
