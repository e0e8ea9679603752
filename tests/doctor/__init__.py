"""What a folder of exports is proposed to be."""
