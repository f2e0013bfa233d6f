"""What people said of photos: tables of ratings, and the splits made of them."""
